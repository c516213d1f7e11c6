#include "core/net/resolver.h"

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/base/log.h"
#include "core/base/text.h"
#include "core/net/blocklist.h"
#include "core/net/dns_cache.h"
#include "core/net/dns_client.h"
#include "core/net/dns_settings.h"
#include "core/net/event_loop.h"
#include "core/net/listener.h"
#include "core/net/net_counters.h"
#include "core/net/resolver_plan.h"

namespace kahu::net {
namespace {

constexpr int kMostRounds = 6;         // NAPTR, SRV, addresses; answers may expire between rounds
constexpr size_t kMostKeys = 64;       // of one question: an answer may name many targets
constexpr size_t kKeptForAKey = 4096;  // an answer, and what c-ares keeps of a query

size_t g_under_way = 0, g_kept = 0;  // questions of this process, and the bytes kept for them

bool too_many_wait(const Question& question) {
    if (g_under_way < kMostUnderWay && g_kept + question.keeps <= kMostKept) return false;
    stats::add(counters.dns_refused);
    static log::RateLimit limit(1);
    if (limit.allow())
        LOG(warn, "dns.refused", kv("host", text::printable(question.host)), kv("waiting", g_under_way),
            kv("bytes", g_kept), kv("effect", "not looked up: name servers do not answer as fast as is asked"),
            kv("suppressed", limit.suppressed()));
    return true;
}

Reach our_reach() {
    Reach reach;
    reach.v4 = false;
    for (const Listener& listener : listeners()) {
        reach.transport[static_cast<int>(listener.transport)] = true;
        if (!listener.address.is_v6()) reach.v4 = true;
        else if (dns_settings.try_ipv6 != 0) reach.v6 = true;
    }
    reach.naptr = dns_settings.try_naptr != 0;
    return reach;
}

Resolution finish(Resolution how, const Question& question, Destinations& out) {
    if (how == Resolution::ready && !leave_out_blocked(out)) how = Resolution::failed;
    if (how == Resolution::ready && dns_settings.use_failover == 0) out.count = std::min<size_t>(out.count, 1);
    static log::RateLimit limit(2);
    if ((how == Resolution::not_found || how == Resolution::failed) && limit.allow())
        LOG(info, "dns.no_destination", kv("host", text::printable(question.host)),
            kv("reason", how == Resolution::failed ? "no answer" : "no usable record"),
            kv("suppressed", limit.suppressed()));
    return how;
}

// One question under way: keeps its own copy of what it was told, as the cache may lose it.
class Search : public std::enable_shared_from_this<Search> {
  public:
    Search(const Question& question, OnResolved later)
        : question_(question), host_(question.host), server_name_(question.server_name), later_(std::move(later)) {
        question_.host = host_;
        question_.server_name = server_name_;
        ++g_under_way;
        keep(question.keeps + sizeof(Search));
    }
    ~Search() {
        --g_under_way;
        g_kept -= kept_;
    }
    Search(const Search&) = delete;
    Search& operator=(const Search&) = delete;

    Resolution attempt(Destinations& out) {
        const KnownAnswer known = [this](const DnsKey& key) -> const DnsAnswer* {
            if (const auto at = told_.find(key); at != told_.end()) return &at->second;
            DnsAnswer cached;
            if (dns_settings.use_cache == 0 || !cached_answer(key, cached)) return nullptr;
            keep(kKeptForAKey);
            return &told_.emplace(key, cached).first->second;
        };
        return plan_destinations(question_, our_reach(), known, missing_, out);
    }
    // Asks; true if all was answered at once (/etc/hosts): the outcome is then `how` and `out`.
    bool ask_first(Resolution& how, Destinations& out) {
        inside_resolve_ = true;
        ask();
        inside_resolve_ = false;
        if (!early_) return false;
        how = *early_;
        out = early_out_;
        return true;
    }

  private:
    void keep(size_t bytes) {
        kept_ += bytes;
        g_kept += bytes;
    }
    bool may_ask() const { return rounds_ < kMostRounds && told_.size() + missing_.size() <= kMostKeys; }
    void ask() {
        ++rounds_;
        const std::vector<DnsKey> keys = std::move(missing_);
        missing_.clear();
        outstanding_ = keys.size();
        keep(keys.size() * kKeptForAKey);
        for (const DnsKey& key : keys)
            ask_dns(key, [self = shared_from_this()](const DnsKey& asked, const DnsAnswer& answer) {
                self->told_[asked] = answer;
                if (--self->outstanding_ == 0) self->go_on();
            });
    }
    void go_on() {
        Destinations out;
        Resolution how = attempt(out);
        if (how == Resolution::pending) {
            if (may_ask()) return ask();
            how = out.count > 0 ? Resolution::ready : Resolution::failed;
        }
        how = finish(how, question_, out);
        if (!inside_resolve_) return later_(how, out);
        early_ = how;
        early_out_ = out;
    }

    Question question_;
    std::string host_, server_name_;
    OnResolved later_;
    std::map<DnsKey, DnsAnswer> told_;
    std::vector<DnsKey> missing_;
    size_t outstanding_ = 0, kept_ = 0;
    int rounds_ = 0;
    bool inside_resolve_ = false;
    std::optional<Resolution> early_;
    Destinations early_out_;
};

}  // namespace

Resolution resolve(const Question& question, Destinations& out, OnResolved later) {
    std::vector<DnsKey> missing;
    DnsAnswer cached;
    const KnownAnswer known = [&](const DnsKey& key) {
        return dns_settings.use_cache != 0 && cached_answer(key, cached) ? &cached : nullptr;
    };
    const Resolution now = plan_destinations(question, our_reach(), known, missing, out);
    if (now != Resolution::pending) return finish(now, question, out);
    if (!later || process_loop() == nullptr || too_many_wait(question))
        return finish(Resolution::failed, question, out);
    const auto search = std::make_shared<Search>(question, std::move(later));
    (void)search->attempt(out);
    Resolution how = Resolution::pending;
    return search->ask_first(how, out) ? how : Resolution::pending;
}

}  // namespace kahu::net
