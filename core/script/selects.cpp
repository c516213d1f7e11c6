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
    {"event", "$hdr(Event)"}, {"rr", "$hdr(Record-Route)"}, {"record_route", "$hdr(Record-Route)"},
    {"rpid", "$hdr(Remote-Party-ID)"}, {"rpid.uri", "$re"}, {"refer_to", "$hdr(Refer-To)"}, {"refer_to.uri", "$rt"},
    {"msg", "$mb"}, {"msg.body", "$rb"}, {"msg.body_size", "$bs"}, {"msg.len", "$ml"}, {"msg.type", "$mt"},
    {"msg.first_line", "$msg(fline)"},
    {"src.ip", "$si"}, {"src.port", "$sp"}, {"src.ip_port", "$_s($si:$sp)"}, {"dst.ip", "$Ri"}, {"dst.port", "$Rp"},
    {"dst.ip_port", "$_s($Ri:$Rp)"}, {"received.ip", "$Ri"}, {"received.port", "$Rp"}, {"received.proto", "$pr"},
    {"received.ip_port", "$_s($Ri:$Rp)"}, {"received.proto_ip_port", "$_s($pr:$Ri:$Rp)"},
    {"authorization", "$hdr(Authorization)"}, {"authorization.username", "$aU"}, {"authorization.realm", "$ar"},
    {"proxy_authorization", "$hdr(Proxy-Authorization)"},
    {"sys.pid", "$pp"}, {"sys.now", "$Tf"}, {"sys.unix", "$Ts"}, {"sys.now.utc", "$utimef(%c)"}, {"sys.now.local", "$timef(%c)"},
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
        index = behind.substr(0, end + 1);
        behind.remove_prefix(end + 1);
    }
    std::string transformation;
    if (behind == ".uri") transformation = "{nameaddr.uri}";
    else if (behind == ".name") transformation = "{nameaddr.name}";
    else if (behind.starts_with(".p.")) transformation = fmt::format("{{param.value,{}}}", behind.substr(3));
    else if (behind.starts_with(".param.")) transformation = fmt::format("{{param.value,{}}}", behind.substr(7));
    else if (!behind.empty())
        return Error{Errc::unsupported, fmt::format("\"{}\" of a header is not known", behind),
                     ".uri, .name or .p.NAME"};
    if (name.empty()) return Error{Errc::invalid, "a header's name is missing", "@hf_value.subject"};
    return fmt::format("$(hdr({}){}{})", name, index, transformation);
}

// "@via[1].branch", "@via.host"
Result<std::string> via_variable(std::string_view rest) {
    std::string index = "[0]";
    if (rest.starts_with('[')) {
        const size_t end = rest.find(']');
        if (end == rest.npos) return Error{Errc::invalid, "\"]\" is missing", ""};
        index = rest.substr(0, end + 1);
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
    for (const std::string_view front : {".param.", ".p."})
        if (rest.starts_with(front))
            return fmt::format("$(hfl(Via){}{{param.value,{}}})", index, rest.substr(front.size()));
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
    if (starts_with(text, "hf_value_exists.")) return header_variable(text.substr(16));
    if (starts_with(text, "via") && text.size() > 3 && (text[3] == '[' || text[3] == '.'))
        return via_variable(text.substr(3));
    if (starts_with(text, "tls.")) return tls_variable(text.substr(4));
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
    return compiled;
}

}  // namespace kahu::script
