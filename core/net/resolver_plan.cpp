#include "core/net/resolver_plan.h"

#include <algorithm>
#include <random>
#include <string>

namespace kahu::net {
namespace {

struct ServiceName {
    Transport transport;
    std::string_view label;
};
constexpr ServiceName kServiceNames[] = {
    {Transport::udp, "_sip._udp."}, {Transport::tcp, "_sip._tcp."}, {Transport::tls, "_sips._tcp."}};
std::string service_name(Transport transport, std::string_view host) {
    return std::string(kServiceNames[static_cast<int>(transport)].label).append(host);
}

class Plan {
  public:
    Plan(const Question& q, const Reach& reach, const KnownAnswer& known, std::vector<DnsKey>& missing,
         Destinations& out)
        : q_(q), reach_(reach), known_(known), missing_(missing), out_(out), seed_(q.stable_choice) {}

    Resolution run() {
        std::string_view host = q_.host;
        if (host.size() > 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
        if (q_.sips && !reach_.can(Transport::tls)) return Resolution::not_found;
        const auto wanted = q_.sips ? std::optional(Transport::tls) : q_.transport;
        const Transport plain = wanted.value_or(Transport::udp);
        if (const auto ip = SocketAddress::parse_ip(host)) {
            add(plain, *ip, q_.port != 0 ? q_.port : default_port(plain));
            return Resolution::ready;
        }
        if (q_.port != 0) addresses(plain, host, q_.port);
        else by_services(wanted, host);
        if (!missing_.empty()) return Resolution::pending;
        if (out_.count > 0) return Resolution::ready;
        return failed_ ? Resolution::failed : Resolution::not_found;
    }

  private:
    const DnsAnswer* answer(RecordType type, std::string_view name) {
        DnsKey key = dns_key(type, name);
        const DnsAnswer* const found = known_(key);
        if (found == nullptr) {
            if (std::find(missing_.begin(), missing_.end(), key) == missing_.end()) missing_.push_back(std::move(key));
            return nullptr;
        }
        failed_ = failed_ || found->kind == DnsAnswer::Kind::failed;
        return found;
    }

    void add(Transport transport, SocketAddress address, uint16_t port) {
        if (out_.count == Destinations::kMost) return;
        Destination to;
        to.transport = transport;
        to.address = address;
        to.address.set_port(port);
        if (!to.set_host(q_.server_name.empty() ? q_.host : q_.server_name)) return;
        for (const Destination& other : out_.list())
            if (other.transport == transport && other.address == to.address) return;
        out_.at[out_.count++] = to;
    }

    void addresses(Transport transport, std::string_view host, uint16_t port) {
        for (const RecordType type : {RecordType::a, RecordType::aaaa}) {
            if (type == RecordType::a ? !reach_.v4 : !reach_.v6) continue;
            // Copied: `known` may reuse what it points to.
            const DnsAnswer* const found = answer(type, host);
            if (found == nullptr) continue;
            const DnsAnswer list = *found;
            for (size_t i = 0; i < list.count; ++i) add(transport, list.record[i].address, port);
        }
    }

    // False: there are no such records (or they are not known yet: see missing_).
    bool services(Transport transport, std::string_view name) {
        const DnsAnswer* const found = answer(RecordType::srv, name);
        if (found == nullptr || found->kind != DnsAnswer::Kind::records) return false;
        std::vector<DnsRecord> list(found->record.begin(), found->record.begin() + found->count);
        order_by_weight(list, [this](uint32_t below) { return draw(below); });
        for (const DnsRecord& record : list) {
            const std::string_view target = record.target;
            if (target.empty() || target == ".") continue;  // RFC 2782: the service is not offered
            addresses(transport, target, record.port);
        }
        return true;
    }

    // RFC 3263 4.1 and 4.2: neither address nor port were given.
    void by_services(std::optional<Transport> wanted, std::string_view host) {
        if (!q_.transport && reach_.naptr) {
            bool any = false;
            if (!pointers(host, any) || any) return;
        }
        bool any = false;
        for (const ServiceName& each : kServiceNames) {
            if (wanted ? each.transport != *wanted : !reach_.can(each.transport)) continue;
            any |= services(each.transport, service_name(each.transport, host));
        }
        if (any || !missing_.empty()) return;
        const Transport plain = wanted.value_or(Transport::udp);
        addresses(plain, host, default_port(plain));
    }

    // False: not known yet.  `any`: there were usable records.
    bool pointers(std::string_view host, bool& any) {
        const DnsAnswer* const found = answer(RecordType::naptr, host);
        if (found == nullptr) return false;
        std::vector<DnsRecord> list(found->record.begin(), found->record.begin() + found->count);
        std::stable_sort(list.begin(), list.end(), [](const DnsRecord& a, const DnsRecord& b) {
            return a.priority != b.priority ? a.priority < b.priority : a.weight < b.weight;
        });
        for (const DnsRecord& record : list) {
            if (!reach_.can(record.transport) || (q_.sips && record.transport != Transport::tls)) continue;
            any = true;
            services(record.transport, record.target);
        }
        return true;
    }

    uint32_t draw(uint32_t below) {
        if (q_.stable_choice == 0) {
            static std::mt19937 generator{std::random_device{}()};
            return std::uniform_int_distribution<uint32_t>(0, below - 1)(generator);
        }
        seed_ += 0x9e3779b97f4a7c15u;  // splitmix64
        uint64_t z = seed_;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
        return static_cast<uint32_t>((z ^ (z >> 31)) % below);
    }

    const Question& q_;
    const Reach& reach_;
    const KnownAnswer& known_;
    std::vector<DnsKey>& missing_;
    Destinations& out_;
    uint64_t seed_;
    bool failed_ = false;
};

}  // namespace

void order_by_weight(std::vector<DnsRecord>& list, const std::function<uint32_t(uint32_t below)>& random) {
    // Those without weight come first among their equals, so that they have a small chance (RFC 2782).
    std::stable_sort(list.begin(), list.end(), [](const DnsRecord& a, const DnsRecord& b) {
        return a.priority != b.priority ? a.priority < b.priority : (a.weight == 0) > (b.weight == 0);
    });
    for (auto first = list.begin(); first != list.end(); ++first) {
        const auto behind =
            std::find_if(first, list.end(), [&](const DnsRecord& r) { return r.priority != first->priority; });
        uint32_t sum = 0;
        for (auto at = first; at != behind; ++at) sum += at->weight;
        uint32_t drawn = random(sum + 1);
        auto chosen = first;
        while (chosen + 1 != behind && drawn > chosen->weight) drawn -= chosen++->weight;
        std::rotate(first, chosen, chosen + 1);
    }
}

Resolution plan_destinations(const Question& question, const Reach& reach, const KnownAnswer& known,
                             std::vector<DnsKey>& missing, Destinations& out) {
    missing.clear();
    out.count = 0;
    return Plan(question, reach, known, missing, out).run();
}

}  // namespace kahu::net
