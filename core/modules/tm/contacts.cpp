#include "core/modules/tm/contacts.h"

#include <algorithm>
#include <charconv>
#include <string>
#include <vector>

#include "core/script/branches.h"

namespace kahu::tm {
namespace {

constexpr std::string_view kName = "tm_contacts";
constexpr char kSeparator = '\n';  // cannot be part of a URI or a header value that was accepted

std::string pack(const script::Branch& b) {
    std::string out;
    for (const std::string_view part : {b.uri, b.dst_uri, b.path, b.instance, b.ruid, b.user_agent})
        out.append(part) += kSeparator;
    for (const int64_t number :
         {int64_t{b.q}, int64_t{b.socket}, static_cast<int64_t>(b.connection), int64_t{b.flags}, int64_t{b.reg_id}})
        out.append(std::to_string(number)) += kSeparator;
    return out;
}

std::string_view take_field(std::string_view& text) {
    const size_t end = text.find(kSeparator);
    const std::string_view field = text.substr(0, end);
    text.remove_prefix(end == text.npos ? text.size() : end + 1);
    return field;
}
template <class T>
T take_number(std::string_view& text) {
    const std::string_view field = take_field(text);
    int64_t number = 0;
    (void)std::from_chars(field.data(), field.data() + field.size(), number);
    return static_cast<T>(number);
}

script::Branch unpack(std::string_view text) {
    script::Branch b;
    for (std::string_view* part : {&b.uri, &b.dst_uri, &b.path, &b.instance, &b.ruid, &b.user_agent})
        *part = take_field(text);
    b.q = take_number<int16_t>(text);
    b.socket = take_number<uint16_t>(text);
    b.connection = take_number<net::ConnectionId>(text);
    b.flags = take_number<uint32_t>(text);
    b.reg_id = take_number<uint32_t>(text);
    return b;
}

}  // namespace

bool load_contacts(script::Run& run) {
    std::vector<script::Branch> all(run.branches.others().begin(), run.branches.others().end());
    script::Branch main = run.branches.main();
    main.uri = run.request_uri();
    main.dst_uri = run.destination_uri();
    all.insert(all.begin(), main);
    const bool ordered = std::all_of(all.begin(), all.end(), [&](const auto& b) { return b.q == all.front().q; });
    if (ordered) return true;
    std::stable_sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.q > b.q; });
    run.remove_avps(kName);
    for (auto b = all.rbegin(); b != all.rend(); ++b) run.add_avp(kName, script::Value::of(pack(*b)));
    run.branches.clear_others();
    return true;
}

bool next_contacts(script::Run& run) {
    const script::Run::Avp* top = run.avp(kName, 0);
    if (top == nullptr) return run.kind() != kFailureRoute;  // load found nothing to order: all at once
    const script::Branch first = unpack(top->value.text);
    run.set_request_uri(first.uri);
    run.set_destination_uri(first.dst_uri);
    script::Branch& main = run.branches.main();
    main = first;
    main.uri = main.dst_uri = {};
    run.branches.clear_others();
    run.remove_avp(kName, 0);
    while ((top = run.avp(kName, 0)) != nullptr) {
        const script::Branch next = unpack(top->value.text);
        if (next.q != first.q || !run.branches.add(next)) break;
        run.remove_avp(kName, 0);
    }
    return true;
}

}  // namespace kahu::tm
