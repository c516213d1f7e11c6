#include "core/script/selects.h"

#include <fmt/format.h>

#include "core/base/text.h"
#include "core/config/runtime_cfg.h"
#include "core/script/run.h"
#include "core/script/scope.h"
#include "core/script/variable_parser.h"

namespace kahu::script {
namespace {

struct Row {
    std::string_view select;
    std::string_view variable;
};
// clang-format off
constexpr Row kRows[] = {
    {"method", "$rm"}, {"ruri", "$ru"}, {"ruri.user", "$rU"}, {"ruri.host", "$rd"}, {"ruri.port", "$(ru{uri.port})"},
    {"ruri.params", "$(ru{uri.params})"}, {"ruri.type", "$rz"}, {"ruri.transport", "$(ru{uri.transport})"},
    {"dst_uri", "$du"}, {"dst_uri.host", "$dd"}, {"dst_uri.port", "$(du{uri.port})"}, {"dst_uri.user", "$(du{uri.user})"},
    {"from", "$hdr(From)"}, {"from.uri", "$fu"}, {"from.uri.user", "$fU"}, {"from.uri.host", "$fd"},
    {"from.uri.port", "$(fu{uri.port})"}, {"from.uri.params", "$(fu{uri.params})"}, {"from.tag", "$ft"}, {"from.name", "$fn"},
    {"from.params", "$(hdr(From){tobody.params})"},
    {"to", "$hdr(To)"}, {"to.uri", "$tu"}, {"to.uri.user", "$tU"}, {"to.uri.host", "$td"},
    {"to.uri.port", "$(tu{uri.port})"}, {"to.uri.params", "$(tu{uri.params})"}, {"to.tag", "$tt"}, {"to.name", "$tn"},
    {"to.params", "$(hdr(To){tobody.params})"},
    {"contact", "$ct"}, {"contact.uri", "$(ct{nameaddr.uri})"}, {"contact.uri.user", "$(ct{tobody.uri.user})"},
    {"contact.uri.host", "$(ct{tobody.uri.host})"}, {"contact.name", "$(ct{nameaddr.name})"}, {"contact.params", "$(ct{tobody.params})"},
    {"via", "$hdr(Via)"}, {"call_id", "$ci"}, {"callid", "$ci"}, {"cseq", "$hdr(CSeq)"}, {"cseq.num", "$cs"}, {"cseq.method", "$rm"},
    {"event", "$hdr(Event)"}, {"date", "$hdr(Date)"}, {"msg.header", "$msg(hdrs)"}, {"rr", "$hdr(Record-Route)"}, {"record_route", "$hdr(Record-Route)"},
    {"rpid", "$hdr(Remote-Party-ID)"}, {"rpid.uri", "$re"}, {"refer_to", "$hdr(Refer-To)"}, {"refer_to.uri", "$rt"},
    {"msg", "$mb"}, {"msg.body", "$rb"}, {"msg.body_size", "$bs"}, {"msg.len", "$ml"}, {"msg.type", "$mt"},
    {"msg.first_line", "$msg(fline)"},
    {"src.ip", "$si"}, {"src.port", "$sp"}, {"src.ip_port", "$_s($si:$sp)"}, {"dst.ip", "$Ri"}, {"dst.port", "$Rp"},
    {"dst.ip_port", "$_s($Ri:$Rp)"}, {"received.ip", "$Ri"}, {"received.port", "$Rp"}, {"received.proto", "$pr"},
    {"received.ip_port", "$_s($Ri:$Rp)"}, {"received.proto_ip_port", "$_s($pr:$Ri:$Rp)"},
    {"authorization", "$hdr(Authorization)"}, {"authorization.username", "$aU"}, {"authorization.realm", "$ar"},
    {"proxy_authorization", "$hdr(Proxy-Authorization)"},
    {"sys.pid", "$pp"}, {"sys.now", "$Ts"}, {"sys.unix", "$Ts"}, {"sys.now.utc", "$utimef(%c)"}, {"sys.now.local", "$timef(%c)"},
    {"tls.version", "$tls_version"}, {"tls.desc", "$tls_description"}, {"tls.description", "$tls_description"},
    {"tls.cipher", "$tls_cipher_info"}, {"tls.cipher.bits", "$tls_cipher_bits"},
    {"tls.server_name", "$tls_peer_server_name"}, {"tls.servername", "$tls_peer_server_name"},
};
// Names of one level that mean the same.
constexpr Row kTlsNames[] = {
    {"me", "my"}, {"myself", "my"}, {"subj", "subject"}, {"common_name", "cn"}, {"name", "cn"}, {"locality_name", "locality"}, {"l", "locality"},
    {"country_name", "country"}, {"c", "country"}, {"state_or_province_name", "state"}, {"st", "state"}, {"organization_name", "organization"},
    {"o", "organization"}, {"organizational_unit_name", "unit"}, {"organizational_unit", "unit"}, {"ou", "unit"}, {"unique_id", "uid"},
    {"self_signed", "selfsigned"}, {"rawcert", "raw_cert"}, {"urlencodedcert", "urlencoded_cert"}, {"sn", "serial"},
    {"serialnumber", "serial"}, {"serial_number", "serial"}, {"notbefore", "notBefore"}, {"not_before", "notBefore"},
    {"notafter", "notAfter"}, {"not_after", "notAfter"}, {"email", "san_email"}, {"host", "san_hostname"}, {"hostname", "san_hostname"},
    {"dns", "san_hostname"}, {"uri", "san_uri"}, {"url", "san_uri"}, {"urn", "san_uri"}, {"ip", "san_ip"}, {"ipaddress", "san_ip"},
    {"ip_address", "san_ip"},
};
// clang-format on

bool starts_with(std::string_view text, std::string_view front) {
    return text::iequals(text.substr(0, front.size()), front);
}

// @tls.peer.subject.cn is $tls_peer_subject_cn.
std::string tls_variable(std::string_view rest) {
    std::string out = "$tls";
    while (!rest.empty()) {
        const size_t dot = rest.find('.');
        std::string_view name = rest.substr(0, dot);
        for (const Row& row : kTlsNames)
            if (text::iequals(row.select, name)) name = row.variable;
        out.append("_").append(name);
        rest.remove_prefix(dot == rest.npos ? rest.size() : dot + 1);
    }
    return out;
}

// Selects count from 1, variables from 0; negative numbers count from the end in both.
std::string index_from(std::string_view brackets) {
    const auto number = text::to_int(brackets.substr(1, brackets.size() - 2));
    if (!number) return std::string(brackets);
    return fmt::format("[{}]", *number > 0 ? *number - 1 : *number);
}

// "x" of ".x" and of "[\"x\"]"; empty if it is neither.
std::string_view one_name(std::string_view text) {
    if (text.starts_with("[\"") && text.ends_with("\"]") && text.size() > 4) return text.substr(2, text.size() - 4);
    const bool plain = text.size() > 1 && text[0] == '.' && text.find_first_of(".[", 1) == text.npos;
    return plain ? text.substr(1) : std::string_view();
}
// What follows the name of something that has parameters: ".params.x", ".p.x", ".param[\"x\"]".
std::string_view named_param(std::string_view rest) {
    for (const std::string_view front : {".params", ".param", ".p"})
        if (starts_with(rest, front)) return one_name(rest.substr(front.size()));
    return {};
}

// @ruri.params.x, @from.uri.port: what follows a URI, as transformations.  Empty: not known.
std::string uri_chain(std::string_view rest) {
    constexpr Row kParts[] = {{".user", "{uri.user}"},          {".pwd", "{uri.passwd}"},    {".host", "{uri.host}"},
                              {".port", "{uri.port}"},          {".params", "{uri.params}"}, {".type", "{uri.scheme}"},
                              {".transport", "{uri.transport}"}};
    for (const Row& row : kParts)
        if (text::iequals(row.select, rest)) return std::string(row.variable);
    const std::string_view param = named_param(rest);
    return param.empty() ? std::string() : fmt::format("{{uri.param,{}}}", param);
}
// The same behind a header that is a name and an address.
std::string address_chain(std::string_view rest) {
    if (starts_with(rest, ".uri")) {
        const std::string chain = rest.size() == 4 ? "" : uri_chain(rest.substr(4));
        return rest.size() != 4 && chain.empty() ? chain : "{nameaddr.uri}" + chain;
    }
    if (text::iequals(rest, ".name")) return "{nameaddr.name}";
    for (const std::string_view param : {"tag", "expires", "q", "instance"})
        if (!rest.empty() && text::iequals(rest.substr(1), param))
            return fmt::format("{{tobody.params}}{{param.value,{}}}", param == "instance" ? "+sip.instance" : param);
    const std::string_view param = named_param(rest);
    return param.empty() ? std::string() : fmt::format("{{tobody.params}}{{param.value,{}}}", param);
}
// "@from.uri.params.transport" and its like, of which there are too many for a table.  Empty: not known.
std::string derived_variable(std::string_view text) {
    constexpr Row kAddresses[] = {{"from", "hdr(From)"},
                                  {"f", "hdr(From)"},
                                  {"to", "hdr(To)"},
                                  {"t", "hdr(To)"},
                                  {"contact", "hdr(Contact)"},
                                  {"m", "hdr(Contact)"},
                                  {"refer_to", "hdr(Refer-To)"},
                                  {"rpid", "hdr(Remote-Party-ID)"},
                                  {"remote_party_id", "hdr(Remote-Party-ID)"},
                                  {"rr", "hdr(Record-Route)"},
                                  {"record_route", "hdr(Record-Route)"}};
    constexpr Row kUris[] = {{"ruri", "ru"}, {"dst_uri", "du"}};
    const size_t end = std::min(text.find_first_of(".["), text.size());
    const std::string_view base = text.substr(0, end), rest = text.substr(end);
    for (const Row& row : kAddresses)
        if (text::iequals(row.select, base)) {
            const std::string chain = address_chain(rest);
            return chain.empty() && !rest.empty() ? chain : fmt::format("$({}{})", row.variable, chain);
        }
    for (const Row& row : kUris)
        if (text::iequals(row.select, base)) {
            const std::string chain = uri_chain(rest);
            return chain.empty() ? chain : fmt::format("$({}{})", row.variable, chain);
        }
    if (starts_with(text, "msg.header.")) {
        std::string name(text.substr(11));
        for (char& c : name)
            if (c == '_') c = '-';
        return fmt::format("$hdr({})", name);
    }
    return {};
}

// "@hf_value.p_asserted_identity[1].uri": underscores stand for hyphens; in quotes the name is as it stands.
Result<std::string> header_variable(std::string_view rest) {
    std::string name, index;
    std::string_view behind;
    if (!rest.empty() && rest.front() == '"') {
        const size_t end = rest.find('"', 1);
        name = rest.substr(1, end == rest.npos ? rest.npos : end - 1);
        behind = end == rest.npos ? std::string_view() : rest.substr(end + 1);
    } else {
        const size_t end = std::min(rest.find_first_of(".["), rest.size());
        name = rest.substr(0, end);
        for (char& c : name)
            if (c == '_') c = '-';
        behind = rest.substr(end);
    }
    if (!behind.empty() && behind.front() == '[') {
        const size_t end = behind.find(']');
        if (end == behind.npos) return Error{Errc::invalid, "\"]\" is missing", ""};
        index = index_from(behind.substr(0, end + 1));
        behind.remove_prefix(end + 1);
    }
    std::string transformation;
    if (const std::string_view param = named_param(behind); !param.empty())
        transformation = fmt::format("{{param.value,{}}}", param);
    else if (!behind.empty() && (transformation = address_chain(behind)).empty())
        return Error{Errc::unsupported, fmt::format("\"{}\" of a header is not known", behind),
                     ".uri, .uri.user, .name or .params.NAME"};
    if (name.empty()) return Error{Errc::invalid, "a header's name is missing", "@hf_value.subject"};
    // An index picks an element of the lists in all headers of that name.
    return fmt::format("$({}({}){}{})", index.empty() ? "hdr" : "hfl", name, index, transformation);
}

// "@via[1].branch", "@via.host"
Result<std::string> via_variable(std::string_view rest) {
    std::string index = "[0]";
    if (rest.starts_with('[')) {
        const size_t end = rest.find(']');
        if (end == rest.npos) return Error{Errc::invalid, "\"]\" is missing", ""};
        index = index_from(rest.substr(0, end + 1));
        rest.remove_prefix(end + 1);
    }
    // SIP/2.0/TLS host:port;params
    constexpr std::string_view kSentBy = "{s.select,0,;}{s.after,\\w}";
    std::string_view chain;
    if (rest == ".host") chain = "{s.select,0,;}{s.after,\\w}{s.before,:}";
    else if (rest == ".port") chain = "{s.select,0,;}{s.after,\\w}{s.after,:}";
    else if (rest == ".transport") chain = "{s.select,2,/}{s.before,\\w}";
    else if (rest == ".name") chain = "{s.select,0,/}";
    else if (rest == ".sent_by") chain = kSentBy;
    if (!chain.empty() || rest.empty()) return fmt::format("$(hfl(Via){}{})", index, chain);
    if (const std::string_view param = named_param(rest); !param.empty())
        return fmt::format("$(hfl(Via){}{{param.value,{}}})", index, param);
    return fmt::format("$(hfl(Via){}{{param.value,{}}})", index, rest.substr(1));
}

// A setting of the configuration, as it is now: cfg.set_now_* changes it.
class SettingExpression : public Expression {
  public:
    explicit SettingExpression(const Param& row) : row_(row) {}
    Value value(Run& run) const override {
        if (row_.text != nullptr) return Value::of(run.arena().copy(row_.text->get()));
        return row_.number != nullptr ? Value::of(row_.number->get()) : Value::none();
    }

  private:
    const Param& row_;
};

// A select is always text: @cseq.num + "x" joins.  Assigned to a variable, one that is not there is "".
class SelectExpression : public Expression {
  public:
    explicit SelectExpression(ExpressionPtr variable) : variable_(std::move(variable)) {}
    Value value(Run& run) const override {
        const Value value = variable_->value(run);
        return value.is_integer() ? Value::of(to_text(value, run.arena())) : value;
    }
    Value result(Run& run) const override {
        const Value text = value(run);
        return text.is_null() ? Value::of("") : text;
    }

  private:
    ExpressionPtr variable_;
};

Result<ExpressionPtr> setting(std::string_view rest) {
    const size_t dot = rest.find('.');
    const std::string_view group = rest.substr(0, dot),
                           name = dot == rest.npos ? std::string_view() : rest.substr(dot + 1);
    const config::CfgVariable* const found = config::runtime_cfg().find(group, name);
    if (found == nullptr || found->row == nullptr)
        return Error{Errc::not_found, fmt::format("there is no setting {}.{}", group, name),
                     fmt::format("{}.{} = value desc \"...\" makes one", group, name)};
    return ExpressionPtr(std::make_shared<SettingExpression>(*found->row));
}

Result<std::string> variable_for(std::string_view text) {
    for (const Row& row : kRows)
        if (text::iequals(row.select, text)) return std::string(row.variable);
    if (starts_with(text, "hf_value.")) return header_variable(text.substr(9));
    if (starts_with(text, "hf_value[") && text.find(']') != text.npos) {
        const size_t end = text.find(']');  // @hf_value["name"]
        return header_variable(std::string(text.substr(9, end - 9)) + std::string(text.substr(end + 1)));
    }
    if (starts_with(text, "hf_value_exists.")) return header_variable(text.substr(16));
    if (starts_with(text, "via") && text.size() > 3 && (text[3] == '[' || text[3] == '.'))
        return via_variable(text.substr(3));
    if (starts_with(text, "v.") || starts_with(text, "v[")) return via_variable(text.substr(1));
    if (starts_with(text, "tls.")) return tls_variable(text.substr(4));
    if (std::string derived = derived_variable(text); !derived.empty()) return derived;
    std::vector<std::string_view> names;
    for (const Row& row : kRows) names.push_back(row.select);
    const std::string_view near = text::nearest(text, names);
    return Error{Errc::not_found, fmt::format("unknown select @{}", text::printable(text, 60)),
                 near.empty() ? "" : fmt::format("did you mean @{}?", near)};
}

}  // namespace

Result<ExpressionPtr> compile_select(std::string_view text, const Scope& scope, std::string_view where) {
    if (text.starts_with('@')) text.remove_prefix(1);
    if (starts_with(text, "cfg_get.")) return setting(text.substr(8));
    auto variable = variable_for(text);
    if (!variable) return std::move(variable).error();
    size_t used = 0;
    auto compiled = compile_variable(*variable, used, scope, where);
    if (!compiled) return std::move(compiled).error().context(fmt::format("@{}", text));
    return ExpressionPtr(std::make_shared<SelectExpression>(*std::move(compiled)));
}

}  // namespace kahu::script
