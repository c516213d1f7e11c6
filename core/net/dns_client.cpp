#include "core/net/dns_client.h"

#include <ares.h>
#include <arpa/nameser.h>
#include <netdb.h>

#include <algorithm>
#include <map>
#include <memory>
#include <vector>

#include "core/base/log.h"
#include "core/net/dns_cache.h"
#include "core/net/dns_parse.h"
#include "core/net/dns_settings.h"
#include "core/net/event_loop.h"
#include "core/net/event_ptr.h"
#include "core/net/net_counters.h"

namespace kahu::net {
namespace {

constexpr int kRecordNumbers[] = {ns_t_a, ns_t_aaaa, ns_t_srv, ns_t_naptr};
constexpr clock::Millis kHostsFileTtl = 30'000;

class Client {
  public:
    explicit Client(event_base* base) : base_(base) {}
    ~Client() {
        if (channel_ != nullptr) ares_destroy(channel_);
    }
    bool start() {
        ares_options options{};
        options.timeout = static_cast<int>(std::max<int64_t>(1, dns_settings.retr_time) * 1000);
        options.tries = static_cast<int>(std::max<int64_t>(1, dns_settings.retr_no));
        options.sock_state_cb = [](void* self, ares_socket_t fd, int read, int write) {
            static_cast<Client*>(self)->watch(fd, read != 0, write != 0);
        };
        options.sock_state_cb_data = this;
        const int mask = ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB;
        int status = ares_init_options(&channel_, &options, mask);
        const std::string& servers = dns_settings.servers.get();
        if (status == ARES_SUCCESS && !servers.empty()) status = ares_set_servers_ports_csv(channel_, servers.c_str());
        if (status != ARES_SUCCESS) {
            LOG(error, "dns.start_failed", kv("reason", ares_strerror(status)), kv("dns_servers", servers));
            return false;
        }
        timer_.reset(event_new(
            base_, -1, 0, [](evutil_socket_t, short, void* self) { static_cast<Client*>(self)->on_time(); }, this));
        return timer_ != nullptr;
    }

    void ask(const DnsKey& key, OnAnswer then) {
        DnsAnswer known;
        if (from_hosts_file(key, known)) {
            cache_answer(key, known);
            return then(key, known);
        }
        auto& waiting = under_way_[key];
        waiting.push_back(std::move(then));
        if (waiting.size() > 1) return;
        const auto ended = [](void* at, int status, int, unsigned char* octets, int size) {
            const std::unique_ptr<Asked> asked(static_cast<Asked*>(at));
            asked->client->count(*asked, status);
            asked->client->answered(asked->key, status, octets, size);
        };
        auto* asked = new Asked{this, key, clock::read()};
        const bool searched = dns_settings.use_search_list != 0 && key.name.find('.') == key.name.npos;
        const auto send = searched ? ares_search : ares_query;
        send(channel_, asked->key.name.c_str(), ns_c_in, kRecordNumbers[static_cast<int>(key.type)], ended, asked);
        arm_timer();
    }

  private:
    struct Asked {
        Client* client;
        DnsKey key;
        clock::Millis since;
    };
    struct Watched {
        Client* client;
        EventPtr readable, writable;
    };

    bool from_hosts_file(const DnsKey& key, DnsAnswer& out) {
        if (key.type != RecordType::a && key.type != RecordType::aaaa) return false;
        hostent* host = nullptr;
        const int family = key.type == RecordType::a ? AF_INET : AF_INET6;
        if (ares_gethostbyname_file(channel_, key.name.c_str(), family, &host) != ARES_SUCCESS) return false;
        out = {};
        for (char** at = host->h_addr_list; *at != nullptr; ++at) {
            sockaddr_in6 storage{};
            auto* v4 = reinterpret_cast<sockaddr_in*>(&storage);
            storage.sin6_family = static_cast<sa_family_t>(family);
            if (family == AF_INET) v4->sin_addr = *reinterpret_cast<in_addr*>(*at);
            else storage.sin6_addr = *reinterpret_cast<in6_addr*>(*at);
            out.add({.address = SocketAddress::from(reinterpret_cast<const sockaddr*>(&storage))});
        }
        ares_free_hostent(host);
        out.kind = DnsAnswer::Kind::records;
        out.expires = clock::now_ms() + kHostsFileTtl;
        return out.count > 0;
    }

    void count(const Asked& asked, int status) {
        if (status == ARES_EDESTRUCTION) return;
        if (status != ARES_SUCCESS) stats::add(counters.dns_failed);
        const int64_t slow = dns_settings.slow_query_ms;
        if (slow == 0 || clock::read() - asked.since < slow) return;
        stats::add(counters.dns_slow);
        if (failure_log_.allow())
            LOG(warn, "dns.slow", kv("name", asked.key.name), kv("ms", clock::read() - asked.since),
                kv("suppressed", failure_log_.suppressed()));
    }
    void answered(const DnsKey& key, int status, const unsigned char* octets, int size) {
        if (status == ARES_EDESTRUCTION) return;
        DnsAnswer answer;
        if (status == ARES_SUCCESS && octets != nullptr)
            answer = parse_dns_answer(key.type, {octets, static_cast<size_t>(size)}, clock::now_ms());
        else if (status == ARES_ENODATA || status == ARES_ENOTFOUND || status == ARES_EBADNAME)
            answer = no_records(clock::now_ms());
        else if (failure_log_.allow())
            LOG(warn, "dns.failed", kv("name", key.name), kv("reason", ares_strerror(status)),
                kv("suppressed", failure_log_.suppressed()));
        if (answer.kind != DnsAnswer::Kind::failed) cache_answer(key, answer);
        auto waiting = under_way_.extract(key);
        if (waiting.empty()) return;
        for (const OnAnswer& then : waiting.mapped()) then(key, answer);
    }

    // --- c-ares's sockets and times in the loop ----------------------------------------------------------
    void watch(int fd, bool read, bool write) {
        if (!read && !write) {
            watched_.erase(fd);
            return;
        }
        auto& at = watched_[fd];
        if (at == nullptr) at = std::make_unique<Watched>(Watched{this, {}, {}});
        set(at->readable, fd, read, EV_READ);
        set(at->writable, fd, write, EV_WRITE);
    }
    void set(EventPtr& at, int fd, bool wanted, short what) {
        if (!wanted) return at.reset();
        if (at != nullptr) return;
        at.reset(event_new(
            base_, fd, static_cast<short>(what | EV_PERSIST),
            [](evutil_socket_t ready, short ready_for, void* self) {
                clock::tick();
                static_cast<Client*>(self)->process(ready_for & EV_READ ? ready : ARES_SOCKET_BAD,
                                                    ready_for & EV_WRITE ? ready : ARES_SOCKET_BAD);
            },
            this));
        if (at != nullptr) event_add(at.get(), nullptr);
    }
    void on_time() {
        clock::tick();
        process(ARES_SOCKET_BAD, ARES_SOCKET_BAD);
    }
    void process(ares_socket_t readable, ares_socket_t writable) {
        ares_process_fd(channel_, readable, writable);
        arm_timer();
    }
    void arm_timer() {
        timeval longest{60, 0}, left{};
        if (ares_timeout(channel_, nullptr, &left) == nullptr) event_del(timer_.get());
        else event_add(timer_.get(), ares_timeout(channel_, &longest, &left));
    }

    event_base* base_;
    ares_channel channel_ = nullptr;
    EventPtr timer_;
    std::map<int, std::unique_ptr<Watched>> watched_;
    std::map<DnsKey, std::vector<OnAnswer>> under_way_;
    log::RateLimit failure_log_{2};
};

std::unique_ptr<Client> g_client;

}  // namespace

void ask_dns(const DnsKey& key, OnAnswer then) {
    if (g_client == nullptr) {
        auto made = std::make_unique<Client>(process_loop());
        if (!made->start()) return then(key, {});
        g_client = std::move(made);
    }
    g_client->ask(key, std::move(then));
}
DnsAnswer ask_dns_and_wait(const DnsKey& key) {
    const std::unique_ptr<event_base, void (*)(event_base*)> base(event_base_new(), event_base_free);
    if (base == nullptr) return {};
    Client client(base.get());
    if (!client.start()) return {};
    std::optional<DnsAnswer> got;
    client.ask(key, [&](const DnsKey&, const DnsAnswer& answer) { got = answer; });
    const timeval longest{kLongestWait / 1000, 0};
    event_base_loopexit(base.get(), &longest);
    while (!got && event_base_got_exit(base.get()) == 0)
        if (event_base_loop(base.get(), EVLOOP_ONCE) != 0) break;
    return got.value_or(DnsAnswer{});
}
void stop_dns() { g_client.reset(); }

}  // namespace kahu::net
