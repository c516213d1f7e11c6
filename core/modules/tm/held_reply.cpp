#include "core/modules/tm/held_reply.h"

#include <cstring>
#include <string>
#include <utility>

#include "core/modules/tm/client.h"
#include "core/modules/tm/current.h"
#include "core/modules/tm/replies.h"
#include "core/modules/tm/table.h"
#include "core/script/program.h"

namespace kahu::tm {
namespace {

// Branch::held: where it came from, its bytes, what the script did to it.
struct Head {
    net::Inbound from;
    uint32_t bytes;
};

std::string pack(const script::Run& run) {
    const std::string_view bytes = run.message().bytes();
    Head head{};
    head.from = run.inbound();
    head.bytes = static_cast<uint32_t>(bytes.size());
    std::string out(sizeof head, '\0');
    std::memcpy(out.data(), &head, sizeof head);
    out.append(bytes);
    run.save(out);
    return out;
}

struct Revival {
    std::string packed;
    sip::Message message;
    script::Run run;
    int branch = -1;

    bool begin(Id id) {
        Head head;
        std::memcpy(&head, packed.data(), sizeof head);
        const std::string_view rest = std::string_view(packed).substr(sizeof head);
        sip::Bad bad;
        if (!message.parse(rest.substr(0, head.bytes), bad)) return false;
        run.begin(message, head.from, kReplyRoute);
        run.program = script::Program::installed();
        run.restore(rest.substr(head.bytes));
        Current& c = current(run);
        c.id = id;
        c.branch = branch;
        return true;
    }
};

bool take(Id id, Revival& out) {
    if (id.shard >= kShards) return false;
    const Locked shard(id);
    Transaction* t = shard.find(id.label);
    for (int i = 0; t != nullptr && i < t->branches; ++i) {
        Branch& b = *t->branch[i];
        if (b.held == nullptr || !is_pending(*t, b)) continue;
        out.packed = text_of(b.held);
        out.branch = i;
        drop_block(b.held);
        return true;
    }
    return false;
}

}  // namespace

bool hold_reply(script::Run& run) {
    Current& c = current(run);
    if (!c.id || c.branch < 0 || c.held) return false;
    const std::string packed = pack(run);
    Locked shard(c.id);
    Transaction* t = shard.find(c.id.label);
    if (t == nullptr || c.branch >= t->branches) return false;
    Branch& b = *t->branch[c.branch];
    if (!is_pending(*t, b) || !replace_block(b.held, packed)) return false;
    b.held_status = static_cast<uint16_t>(run.message().status());
    c.held = true;
    on_reply(*t, b, {.status = 100, .held = true});
    (void)shard.settle(t);
    return true;
}

bool waits_with_more(const Branch& b, int status) {
    return b.held != nullptr && b.held_status >= 200 && (status < 200 || b.held_status == status);
}

bool resume_reply(Id id, int route) {
    static Revival revival;
    static bool busy = false;  // a continued route continues another one: not from here
    if (busy || !take(id, revival)) return false;
    busy = true;
    if (revival.begin(id)) {
        script::Run& run = revival.run;
        (void)run.program->run_route(route, run);
        const bool drop = run.flow == script::Flow::drop && run.message().status() < 200;
        run.flow = script::Flow::next;
        if (!drop && !current(run).held) pass_on(run);
    }
    busy = false;
    return true;
}

}  // namespace kahu::tm
