#include "core/modules/jsonrpcs/protocol.h"

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "core/modules/jsonrpcs/json_text.h"
#include "rpc/list_methods.h"
#include "rpc/registry.h"
#include "rpc/unfinished.h"

namespace kahu::jsonrpcs {
namespace {

using Json = nlohmann::ordered_json;

constexpr size_t kMostRequests = 64;  // in one list
constexpr size_t kDeepest = 32;       // brackets inside brackets: a document needs three
constexpr int kParseError = -32700, kInvalidRequest = -32600, kInvalidParams = -32602;

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

// Offset behind the bracket that closes the first one; nullopt: it does not close.
std::optional<size_t> end_of_brackets(std::string_view text, size_t at, size_t& deepest) {
    bool quoted = false;
    size_t depth = 0;
    for (; at < text.size(); ++at) {
        const char c = text[at];
        if (quoted) {
            if (c == '\\') ++at;
            else if (c == '"') quoted = false;
        } else if (c == '"') {
            quoted = true;
        } else if (c == '{' || c == '[') {
            deepest = std::max(deepest, ++depth);
        } else if ((c == '}' || c == ']') && --depth == 0) {
            return at + 1;
        }
    }
    return std::nullopt;
}

bool too_deep(std::string_view text) {
    size_t deepest = 0;
    const size_t at = std::min(text.find_first_of("{["), text.size());
    (void)end_of_brackets(text, at, deepest);
    return deepest > kDeepest;
}

// kamctl writes line ends into strings as they are, which JSON forbids and Kamailio reads.
std::string with_escaped_controls(std::string_view document) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::string out;
    bool quoted = false;
    for (size_t at = 0; at < document.size(); ++at) {
        const char c = document[at];
        const auto code = static_cast<unsigned char>(c);
        if (quoted && code < 0x20) {
            out.append("\\u00") += kDigits[code >> 4];
            out += kDigits[code & 15];
            continue;
        }
        out += c;
        if (c == '"') quoted = !quoted;
        else if (c == '\\' && quoted && at + 1 < document.size()) out += document[++at];
    }
    return out;
}

Json parse(std::string_view document) {
    if (too_deep(document)) return Json(Json::value_t::discarded);
    Json parsed = Json::parse(document, nullptr, false);
    return parsed.is_discarded() ? Json::parse(with_escaped_controls(document), nullptr, false) : parsed;
}

void write_id(JsonWriter& out, const Json* id) {
    if (id == nullptr) return;
    out.key("id");
    if (id->is_string()) out.text(id->get_ref<const std::string&>());
    else if (id->is_number()) out.raw(id->dump());
    else out.raw("null");
}

void write_error(JsonWriter& out, int code, std::string_view message, const Json* id) {
    out.begin_object();
    out.key("jsonrpc");
    out.text("2.0");
    out.key("error");
    out.begin_object();
    out.key("code");
    out.raw(std::to_string(code));
    out.key("message");
    out.text(message);
    out.end_object();
    write_id(out, id);
    out.end_object();
}

const Json kNull;

// False: a parameter is an array, an object or null, which no command takes.
bool read_params(const Json& given, std::vector<RpcCall::Param>& out) {
    for (const Json& item : given) {
        if (item.is_string()) out.emplace_back(item.get<std::string>());
        else if (item.is_boolean()) out.emplace_back(int64_t{item.get<bool>()});
        else if (item.is_number_integer()) out.emplace_back(item.get<int64_t>());
        else if (item.is_number()) out.emplace_back(item.get<double>());
        else return false;
    }
    return true;
}

void write_result(JsonWriter& out, const RpcCall& call, const Json* id) {
    out.begin_object();
    out.key("jsonrpc");
    out.text("2.0");
    out.key("result");
    const std::vector<RpcValue>& results = call.results();
    if (rpc::always_lists(call.method()) || results.size() > 1) out.array(results);
    else if (results.size() == 1) out.value(results[0]);
    else out.value(RpcStruct{});
    write_id(out, id);
    out.end_object();
}

using Written = std::function<void(std::string)>;

std::string error_text(bool pretty, int code, std::string_view message, const Json* id) {
    JsonWriter out(pretty);
    write_error(out, code, message, id);
    return out.take();
}

void answer_one(const Json& request, std::string_view client, bool pretty, Written written) {
    if (!request.is_object()) return written(error_text(pretty, kInvalidRequest, "Invalid Request", &kNull));
    const auto member = [&](const char* name) {
        const auto found = request.find(name);
        return found == request.end() ? nullptr : &*found;
    };
    const Json *const version = member("jsonrpc"), *const method = member("method"), *const params = member("params");
    const Json* const id = member("id");
    const bool sound = version != nullptr && *version == "2.0" && method != nullptr && method->is_string() &&
                       (id == nullptr || id->is_string() || id->is_number() || id->is_null());
    if (!sound) return written(error_text(pretty, kInvalidRequest, "Invalid Request", id == nullptr ? &kNull : id));
    std::vector<RpcCall::Param> list;
    if (params != nullptr && !params->is_null() && (!params->is_structured() || !read_params(*params, list)))
        return written(error_text(pretty, kInvalidParams, "Invalid params", id));
    RpcCall call(method->get<std::string>(), std::move(list));
    call.client = client;
    if (rpc::find_command(call.method()) == nullptr) return written(error_text(pretty, 500, "Method Not Found", id));
    // The id is copied: the document may be gone when the command has ended.
    const auto named = id == nullptr ? nullptr : std::make_shared<const Json>(*id);
    rpc::run_command(std::move(call), [named, pretty, written = std::move(written)](const RpcCall& done) {
        if (const auto& fault = done.faulted())
            return written(error_text(pretty, fault->first, fault->second, named.get()));
        JsonWriter out(pretty);
        write_result(out, done, named.get());
        written(out.take());
    });
}

// A list of requests: answered one after the other.
struct List {
    Json requests;
    std::string client;
    bool pretty;
    Written written;
    size_t next = 0;
    std::string all = "[";
};
void go_on(const std::shared_ptr<List>& list) {
    if (list->next == list->requests.size()) return list->written(list->all + "]");
    const Json& request = list->requests[list->next++];
    answer_one(request, list->client, list->pretty, [list](const std::string& made) {
        list->all.append(list->all.size() > 1 ? "," : "").append(made);
        go_on(list);
    });
}

}  // namespace

Framed frame_document(std::string_view input, size_t longest) {
    Framed framed;
    size_t at = 0;
    while (at < input.size() && is_blank(input[at])) ++at;
    if (at == input.size()) return framed;
    size_t deepest = 0;
    const bool opens = input[at] == '{' || input[at] == '[';
    const auto end = opens ? end_of_brackets(input, at, deepest) : std::nullopt;
    if (!opens) {  // somebody's mistake; what another client wrote behind it is not lost
        framed.what = Framed::What::broken;
        framed.bytes = std::min(input.find_first_of("{[", at), input.size());
    } else if (deepest > kDeepest || end.value_or(input.size()) - at > longest) {
        framed.what = Framed::What::broken;
        framed.bytes = input.size();
    } else if (end) {
        framed.what = Framed::What::document;
        framed.bytes = *end;
    }
    return framed;
}

void answer(std::string_view document, std::string_view client, bool pretty, std::function<void(Answer)> deliver) {
    Json request = parse(document);
    Answer made;
    if (request.is_object())
        if (const auto name = request.find("reply_name"); name != request.end() && name->is_string())
            made.reply_name = name->get<std::string>();
    Written written = [made, deliver = std::move(deliver)](std::string text) mutable {
        made.text = std::move(text);
        deliver(std::move(made));
    };
    if (request.is_discarded()) return written(error_text(pretty, kParseError, "Parse error", &kNull));
    const bool list = request.is_array() && !request.empty() && request.size() <= kMostRequests;
    if (!list) return answer_one(request, client, pretty, written);
    go_on(std::make_shared<List>(List{std::move(request), std::string(client), pretty, written}));
}

std::string error_like(std::string_view document, int code, std::string_view message, bool pretty) {
    const Json request = parse(document);
    const Json* id = &kNull;
    if (request.is_object()) {
        const auto found = request.find("id");
        if (found != request.end()) id = &*found;
    }
    return error_text(pretty, code, message, id);
}

}  // namespace kahu::jsonrpcs
