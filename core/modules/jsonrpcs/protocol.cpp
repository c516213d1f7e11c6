#include "core/modules/jsonrpcs/protocol.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "core/modules/jsonrpcs/json_text.h"
#include "core/modules/jsonrpcs/list_methods.h"
#include "rpc/registry.h"

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

Json parse(std::string_view document) {
    if (too_deep(document)) return Json(Json::value_t::discarded);
    return Json::parse(document, nullptr, false);
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
    if (always_lists(call.method()) || results.size() > 1) out.array(results);
    else if (results.size() == 1) out.value(results[0]);
    else out.value(RpcStruct{});
    write_id(out, id);
    out.end_object();
}

void answer_one(const Json& request, std::string_view client, JsonWriter& out) {
    if (!request.is_object()) return write_error(out, kInvalidRequest, "Invalid Request", &kNull);
    const auto member = [&](const char* name) {
        const auto found = request.find(name);
        return found == request.end() ? nullptr : &*found;
    };
    const Json *const version = member("jsonrpc"), *const method = member("method"), *const params = member("params");
    const Json* const id = member("id");
    const bool sound = version != nullptr && *version == "2.0" && method != nullptr && method->is_string() &&
                       (id == nullptr || id->is_string() || id->is_number() || id->is_null());
    if (!sound) return write_error(out, kInvalidRequest, "Invalid Request", id == nullptr ? &kNull : id);
    std::vector<RpcCall::Param> list;
    if (params != nullptr && !params->is_null() && (!params->is_structured() || !read_params(*params, list)))
        return write_error(out, kInvalidParams, "Invalid params", id);
    RpcCall call(method->get<std::string>(), std::move(list));
    call.client = client;
    if (rpc::find_command(call.method()) == nullptr) return write_error(out, 500, "Method Not Found", id);
    rpc::execute(call);
    if (call.faulted()) return write_error(out, call.faulted()->first, call.faulted()->second, id);
    write_result(out, call, id);
}

std::string answer_list(const Json& requests, std::string_view client, bool pretty) {
    std::string all = "[";
    for (const Json& request : requests) {
        JsonWriter out(pretty);
        answer_one(request, client, out);
        all.append(all.size() > 1 ? "," : "").append(out.take());
    }
    return all + "]";
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

Answer answer(std::string_view document, std::string_view client, bool pretty) {
    const Json request = parse(document);
    Answer made;
    if (request.is_object())
        if (const auto name = request.find("reply_name"); name != request.end() && name->is_string())
            made.reply_name = name->get<std::string>();
    const bool list = request.is_array() && !request.empty() && request.size() <= kMostRequests;
    if (list) {
        made.text = answer_list(request, client, pretty);
        return made;
    }
    JsonWriter out(pretty);
    if (request.is_discarded()) write_error(out, kParseError, "Parse error", &kNull);
    else answer_one(request, client, out);
    made.text = out.take();
    return made;
}

std::string error_like(std::string_view document, int code, std::string_view message, bool pretty) {
    const Json request = parse(document);
    const Json* id = &kNull;
    if (request.is_object()) {
        const auto found = request.find("id");
        if (found != request.end()) id = &*found;
    }
    JsonWriter out(pretty);
    write_error(out, code, message, id);
    return out.take();
}

}  // namespace kahu::jsonrpcs
