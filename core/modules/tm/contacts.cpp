#include "core/modules/tm/contacts.h"

#include <algorithm>
#include <vector>

#include "core/script/branch_text.h"

namespace kahu::tm {
namespace {

constexpr std::string_view kName = "tm_contacts";

// The newest flow of that phone; of any if none is named.
size_t flow_of(const script::Run& run, std::string_view instance) {
    size_t nth = 0;
    if (instance.empty()) return nth;
    for (; const auto* flow = run.avp(script::kFlowsAvp, nth); ++nth)
        if (script::unpack(flow->value.text).instance == instance) break;
    return nth;
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
    for (auto b = all.rbegin(); b != all.rend(); ++b) run.add_avp(kName, script::Value::of(script::pack(*b)));
    run.branches.clear_others();
    return true;
}

bool next_contacts(script::Run& run) {
    const script::Run::Avp* top = run.avp(kName, 0);
    if (top == nullptr) return run.kind() != kFailureRoute;  // load found nothing to order: all at once
    const script::Branch first = script::unpack(top->value.text);
    run.set_request_uri(first.uri);
    run.set_destination_uri(first.dst_uri);
    script::Branch& main = run.branches.main();
    main = first;
    main.uri = main.dst_uri = {};
    run.branches.clear_others();
    run.remove_avp(kName, 0);
    while ((top = run.avp(kName, 0)) != nullptr) {
        const script::Branch next = script::unpack(top->value.text);
        if (next.q != first.q || !run.branches.add(next)) break;
        run.remove_avp(kName, 0);
    }
    return true;
}

bool next_flow(script::Run& run, std::string_view instance) {
    const size_t nth = flow_of(run, instance);
    const script::Run::Avp* const found = run.avp(script::kFlowsAvp, nth);
    if (found == nullptr) return false;
    const script::Branch flow = script::unpack(found->value.text);
    run.set_request_uri(flow.uri);
    run.set_destination_uri(flow.dst_uri);
    run.branches.main() = flow;
    run.branches.main().uri = run.branches.main().dst_uri = {};
    run.branches.clear_others();
    run.remove_avp(script::kFlowsAvp, nth);
    return true;
}

}  // namespace kahu::tm
