#include "core/modules/registrar/settings.h"

#include "core/script/avp_param.h"

namespace kahu::registrar {

Settings settings;

namespace {

constexpr Applies kRuntime = Applies::at_runtime;

Param number(std::string_view name, IntSetting& at, int64_t min, int64_t max, std::string_view help,
             std::string_view unit = "") {
    return {.name = name, .number = &at, .min = min, .max = max, .unit = unit, .help = help, .applies = kRuntime};
}
Param words(std::string_view name, TextSetting& at, std::string_view help) {
    return {.name = name, .kind = ParamKind::text, .text = &at, .help = help};
}
Param ignored(std::string_view name, std::string_view help, std::string_view why) {
    return {.name = name, .number = &settings.ignored, .help = help, .remark = why};
}
Param ignored_text(std::string_view name, std::string_view help, std::string_view why) {
    return {.name = name, .kind = ParamKind::text, .text = &settings.ignored_text, .help = help, .remark = why};
}

const Param kParams[] = {
    number("default_expires", settings.default_expires, 1, INT32_MAX,
           "Lifetime of a contact whose REGISTER names none.", "seconds"),
    number("default_expires_range", settings.default_expires_range, 0, 100,
           "Up to that part is taken off default_expires, at random.", "percent"),
    number("expires_range", settings.expires_range, 0, 100,
           "Up to that part is taken off the lifetime asked for, at random.", "percent"),
    number("min_expires", settings.min_expires, 0, INT32_MAX, "Shortest lifetime; 0: any.", "seconds"),
    number("min_expires_mode", settings.min_expires_mode, 0, 1,
           "What happens below min_expires: 0 it is raised, 1 the answer is 423."),
    number("max_expires", settings.max_expires, 0, INT32_MAX, "Longest lifetime, what exceeds it is lowered; 0: any.",
           "seconds"),
    number("default_q", settings.default_q, -1, 1000, "q of contacts that name none, in thousandths; -1: none."),
    number("append_branches", settings.append_branches, 0, 1,
           "Whether lookup() makes branches of all contacts but the first."),
    number("case_sensitive", settings.case_sensitive, 0, 1, "Whether users that differ in case only are different."),
    number("max_contacts", settings.max_contacts, 0, INT32_MAX,
           "How many contacts an AoR may have; more are answered 503.  0: any number."),
    number("retry_after", settings.retry_after, 0, INT32_MAX, "Retry-After in 5xx answers; 0: none.", "seconds"),
    number("sock_flag", settings.sock_flag, -1, 31, "Message flag: the socket is taken from the header sock_hdr_name."),
    number("method_filtering", settings.method_filtering, 0, 1,
           "Whether lookup() leaves out contacts whose Allow lacks the method of an initial request."),
    number("use_path", settings.use_path, 0, 1, "Whether Path is stored and used (RFC 3327)."),
    number("path_mode", settings.path_mode, 0, 2,
           "Path in the answer: 0 never, 1 to those who support it, 2 others get 420."),
    number("path_use_received", settings.path_use_received, 0, 1,
           "Whether ;received of the first Path URI becomes the received address."),
    number("path_check_local", settings.path_check_local, 0, 1,
           "Whether lookup() leaves out Path URIs that mean this server."),
    number("outbound_mode", settings.outbound_mode, 0, 2, "RFC 5626: 0 refused, 1 offered, 2 required."),
    number("regid_mode", settings.regid_mode, 0, 1, "Whether reg-id counts without support of outbound."),
    number("flow_timer", settings.flow_timer, 0, INT32_MAX, "Flow-Timer in answers to outbound registrations; 0: none.",
           "seconds"),
    number("gruu_enabled", settings.gruu_enabled, 0, 1,
           "Whether phones that support it are given URIs of their own (RFC 5627), and these are understood."),
    number("contact_max_size", settings.contact_max_size, 16, 2048, "Longest Contact URI.", "bytes"),
    number("lookup_filter_mode", settings.lookup_filter_mode, 0, 3,
           "1: lookup() leaves out contacts that have none of the branch flags in $xavp(xavp_cfg=>rlf_bflags); 2: "
           "those whose "
           "connection has ended; 3: both."),
    number("use_expired_contacts", settings.use_expired_contacts, 0, 0, "Expired contacts are never used."),
    words("realm_prefix", settings.realm_prefix, "Taken off the front of an AoR's domain."),
    {.name = "received_avp",
     .kind = ParamKind::text,
     .text = &settings.received_avp,
     .accept = script::check_avp_param,
     .help = "AVP that holds the URI of the address that a REGISTER really came from."},
    words("received_param", settings.received_param,
          "Name of the Contact parameter that tells it in answers; empty: none."),
    words("sock_hdr_name", settings.sock_hdr_name, "Header that names the socket, used with sock_flag."),
    ignored("sock_mode", "1: the advertised address is stored as socket.",
            "has no effect: contacts refer to the socket itself"),
    words("xavp_cfg", settings.xavp_cfg,
          "XAVP with wishes for one call: $xavp(NAME=>max_contacts), expires, q and socket for save(), rlf_bflags for "
          "lookup(), match_callid, match_received and match_contact for registered()."),
    words("xavp_rcd", settings.xavp_rcd,
          "XAVP that lookup() and registered() fill: $xavp(NAME=>ruid), contact, expires, received, path."),
    number("xavp_rcd_mask", settings.xavp_rcd_mask, 0, 31,
           "What is left out of it: 1 ruid, 2 contact, 4 expires, 8 received, 16 path."),
    ignored_text("reg_callid_avp", "Obsolete.", "has no effect"),
    ignored_text("aor_avp", "Removed by Kamailio.", "has no effect: give the URI as an argument"),
    ignored_text("event_callback", "Function run when a contact expires.", "has no effect"),
};

}  // namespace

std::span<const Param> params() { return kParams; }

std::string_view received_avp_name() {
    static script::AvpParam avp(settings.received_avp);
    return avp.name();
}

Status check_settings() {
    if (settings.max_expires != 0 && settings.min_expires > settings.max_expires)
        return Error{Errc::invalid, "min_expires is greater than max_expires", ""};
    if (settings.flow_timer != 0 && settings.outbound_mode == 0)
        return Error{Errc::invalid, "flow_timer needs outbound", "set outbound_mode to 1 or 2"};
    return {};
}

}  // namespace kahu::registrar
