#include "rpc/unfinished.h"

#include <list>

#include "core/net/event_loop.h"
#include "rpc/event_ptr.h"
#include "rpc/registry.h"

namespace kahu::rpc {
namespace {

struct Unfinished {
    RpcCall call;
    std::function<void(const RpcCall&)> done;
};

class Waiting {
  public:
    void add(RpcCall call, std::function<void(const RpcCall&)> done) {
        list_.push_back({std::move(call), std::move(done)});
        if (!timer_) timer_ = make_event<&Waiting::look>(net::process_loop(), -1, 0, this);
        if (list_.size() == 1) arm(timer_, kLookMs);
    }
    size_t size() const { return list_.size(); }
    void clear() {
        list_.clear();
        timer_.reset();
    }

  private:
    void look(short) {
        std::list<Unfinished> ended;
        for (auto at = list_.begin(); at != list_.end();) {
            const auto here = at++;
            if (here->call.unfinished(here->call)) ended.splice(ended.end(), list_, here);
        }
        if (!list_.empty()) arm(timer_, kLookMs);
        for (const Unfinished& each : ended) each.done(each.call);  // may add others
    }

    std::list<Unfinished> list_;
    EventPtr timer_;
};
Waiting& waiting() {
    static Waiting one;
    return one;
}

}  // namespace

void run_command(RpcCall call, std::function<void(const RpcCall&)> done) {
    execute(call);
    if (call.unfinished && net::process_loop() != nullptr && waiting().size() < kMostUnfinished)
        return waiting().add(std::move(call), std::move(done));
    if (call.unfinished) call.fault(503, "too many commands are waiting for their answers");
    done(call);
}

void stop_waiting() { waiting().clear(); }

}  // namespace kahu::rpc
