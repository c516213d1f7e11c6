#include "core/script/core_operands.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <vector>

#include "core/base/log.h"
#include "core/base/text.h"
#include "core/net/listener.h"
#include "core/script/addresses.h"
#include "core/script/message_facts.h"
#include "core/script/onsend.h"
#include "core/script/run.h"

namespace kahu::script {
namespace {

using config::CoreOperand;

constexpr int64_t kMaxMessage = 65535;  // max_len: what one datagram can hold

// The address of the socket that a message leaves from.  REQUIRES: run.sending.
const SocketAddress* local_end(const Run& run) {
    const auto all = net::listeners();
    const uint16_t index = run.sending->to->listener;
    return index < all.size() ? &all[index].address : nullptr;
}

Value address_value(Run& run, const SocketAddress& address) {
    char text[kIpTextBytes];
    return Value::of(run.arena().copy(ip_text(address, text)));
}

class CoreOperandExpression : public Expression {
  public:
    explicit CoreOperandExpression(CoreOperand which) : which_(which) {}
    Value value(Run& run) const override {
        const sip::Message& message = run.message();
        const net::Inbound& from = run.inbound();
        switch (which_) {
        case CoreOperand::method: return Value::of(method_name_of(message));
        case CoreOperand::uri: return message.is_request() ? Value::of(run.request_uri()) : Value::none();
        case CoreOperand::from_uri: return message.from() ? Value::of(message.from()->uri) : Value::none();
        case CoreOperand::to_uri: return message.to() ? Value::of(message.to()->uri) : Value::none();
        case CoreOperand::src_ip: return address_value(run, from.source);
        case CoreOperand::dst_ip: return address_value(run, from.local);
        case CoreOperand::src_port: return Value::of(int64_t{from.source.port()});
        case CoreOperand::dst_port: return Value::of(int64_t{from.local.port()});
        case CoreOperand::proto: return Value::of(transport_number(from.transport));
        case CoreOperand::af: return Value::of(int64_t{from.source.family()});
        case CoreOperand::msg_len: return Value::of(static_cast<int64_t>(message.bytes().size()));
        case CoreOperand::max_len: return Value::of(kMaxMessage);
        case CoreOperand::status: return message.is_request() ? Value::none() : Value::of(int64_t{message.status()});
        case CoreOperand::retcode: return Value::of(int64_t{run.return_code});
        default: return of_sending(run);
        }
    }

    // snd_ip and its like: null outside of onsend_route.
    Value of_sending(Run& run) const {
        if (run.sending == nullptr) return Value::none();
        const net::Destination& to = *run.sending->to;
        const SocketAddress* const local = local_end(run);
        switch (which_) {
        case CoreOperand::snd_ip: return local == nullptr ? Value::none() : address_value(run, *local);
        case CoreOperand::snd_port: return local == nullptr ? Value::none() : Value::of(int64_t{local->port()});
        case CoreOperand::snd_proto: return Value::of(transport_number(to.transport));
        case CoreOperand::snd_af: return Value::of(int64_t{to.address.family()});
        case CoreOperand::to_ip: return address_value(run, to.address);
        case CoreOperand::to_port: return Value::of(int64_t{to.address.port()});
        default: return Value::none();
        }
    }

  private:
    CoreOperand which_;
};

class MethodIs : public Expression {
  public:
    MethodIs(bool negated, std::string_view name) : negated_(negated), method_(sip::method_id(name)), name_(name) {}
    Value value(Run& run) const override { return Value::of(int64_t{truth(run)}); }
    bool truth(Run& run) const override {
        const bool same = method_ != sip::Method::other ? method_of(run.message()) == method_
                                                        : text::iequals(method_name_of(run.message()), name_);
        return same != negated_;
    }

  private:
    bool negated_;
    sip::Method method_;
    std::string name_;
};

// nullptr: snd_ip or to_ip outside of onsend_route.
const SocketAddress* address_of(CoreOperand which, const Run& run) {
    if (which == CoreOperand::src_ip) return &run.inbound().source;
    if (which == CoreOperand::dst_ip) return &run.inbound().local;
    if (run.sending == nullptr) return nullptr;
    return which == CoreOperand::to_ip ? &run.sending->to->address : local_end(run);
}

class AddressIn : public Expression {  // src_ip == 10.0.0.0/8; of a host name, any of its addresses
  public:
    AddressIn(CoreOperand which, bool negated, std::vector<Network> networks)
        : which_(which), negated_(negated), networks_(std::move(networks)) {}
    Value value(Run& run) const override { return Value::of(int64_t{truth(run)}); }
    bool truth(Run& run) const override { return is_in(run) != negated_; }

  private:
    bool is_in(const Run& run) const {
        const SocketAddress* const address = address_of(which_, run);
        if (address == nullptr) return false;
        return std::ranges::any_of(networks_, [&](const Network& each) { return each.contains(*address); });
    }
    CoreOperand which_;
    bool negated_;
    std::vector<Network> networks_;
};

class AddressEquals : public Expression {  // src_ip == $var(ip): known only now
  public:
    AddressEquals(CoreOperand which, bool negated, ExpressionPtr other)
        : which_(which), negated_(negated), other_(std::move(other)) {}
    Value value(Run& run) const override { return Value::of(int64_t{truth(run)}); }
    bool truth(Run& run) const override {
        const auto network = Network::parse(to_text(other_->value(run), run.arena()));
        const SocketAddress* const address = address_of(which_, run);
        return (network && address != nullptr && network->contains(*address)) != negated_;
    }

  private:
    CoreOperand which_;
    bool negated_;
    ExpressionPtr other_;
};

class AddressIsMyself : public Expression {
  public:
    AddressIsMyself(CoreOperand which, bool negated) : which_(which), negated_(negated) {}
    Value value(Run& run) const override { return Value::of(int64_t{truth(run)}); }
    bool truth(Run& run) const override {
        char text[kIpTextBytes];
        const SocketAddress* const address = address_of(which_, run);
        return (address != nullptr && net::is_myself(ip_text(*address, text), 0)) != negated_;
    }

  private:
    CoreOperand which_;
    bool negated_;
};

// Only host and port are compared, as Kamailio does.  No port is 5060, or 5061 with ;transport=tls; a sips URI without
// one is ours by either (Kamailio knows it by 5060 only, which a server that has TLS alone does not have).
bool names_this_server(const sip::Uri& uri) {
    constexpr uint16_t kPlain = 5060, kTls = 5061;
    if (!uri.is_sip()) return false;
    if (uri.port != 0) return net::is_myself(uri.bare_host(), uri.port);
    const bool tls = text::iequals(uri.transport, "tls");
    return net::is_myself(uri.bare_host(), tls ? kTls : kPlain) ||
           (uri.scheme == sip::Scheme::sips && net::is_myself(uri.bare_host(), kTls));
}

class UriIsMyself : public Expression {
  public:
    UriIsMyself(CoreOperand which, bool negated) : which_(which), negated_(negated) {}
    Value value(Run& run) const override { return Value::of(int64_t{truth(run)}); }
    bool truth(Run& run) const override {
        const sip::Uri* const uri = parsed(run);
        return (uri != nullptr && names_this_server(*uri)) != negated_;
    }

  private:
    const sip::Uri* parsed(Run& run) const {
        if (which_ == CoreOperand::uri) return run.parsed_request_uri();
        const sip::NameAddr* const party = which_ == CoreOperand::from_uri ? run.message().from() : run.message().to();
        static sip::Uri uri;  // too large for the stack of every comparison; used up before this returns
        return party == nullptr ? nullptr : parse_into(party->uri, uri);
    }
    CoreOperand which_;
    bool negated_;
};

class UriEquals : public Expression {  // letters in either case, as Kamailio compares URIs here
  public:
    UriEquals(ExpressionPtr uri, bool negated, ExpressionPtr other)
        : uri_(std::move(uri)), negated_(negated), other_(std::move(other)) {}
    Value value(Run& run) const override { return Value::of(int64_t{truth(run)}); }
    bool truth(Run& run) const override {
        const std::string_view uri = to_text(uri_->value(run), run.arena());
        return text::iequals(uri, to_text(other_->value(run), run.arena())) != negated_;
    }

  private:
    ExpressionPtr uri_;
    bool negated_;
    ExpressionPtr other_;
};

struct NamedNumber {
    CoreOperand operand;
    std::string_view word;
    int64_t number;
};
constexpr NamedNumber kWords[] = {
    {CoreOperand::proto, "UDP", 1},      {CoreOperand::proto, "TCP", 2},       {CoreOperand::proto, "TLS", 3},
    {CoreOperand::proto, "SCTP", 4},     {CoreOperand::proto, "WS", 5},        {CoreOperand::proto, "WSS", 6},
    {CoreOperand::af, "INET", AF_INET},  {CoreOperand::af, "INET6", AF_INET6}, {CoreOperand::af, "IPV4", AF_INET},
    {CoreOperand::af, "IPV6", AF_INET6},
};
// snd_proto takes the words of proto, snd_af those of af.
CoreOperand words_of(CoreOperand which) {
    if (which == CoreOperand::snd_proto) return CoreOperand::proto;
    return which == CoreOperand::snd_af ? CoreOperand::af : which;
}

bool is_address(CoreOperand which) {
    return which == CoreOperand::src_ip || which == CoreOperand::dst_ip || which == CoreOperand::snd_ip ||
           which == CoreOperand::to_ip;
}
bool is_uri(CoreOperand which) {
    return which == CoreOperand::uri || which == CoreOperand::from_uri || which == CoreOperand::to_uri;
}

Error cannot_compare(CoreOperand which, std::string_view other, std::string_view valid) {
    return {Errc::invalid, fmt::format("{} cannot be compared to {}", config::name_of(which), other),
            std::string(valid)};
}

// "gw.example.com", "localhost"; not "10.0.0", which is a mistake.
bool is_host_name(std::string_view text) {
    const auto allowed = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-' ||
               c == '_';
    };
    return !text.empty() && text.size() < 254 && std::ranges::all_of(text, allowed) &&
           text.find_first_not_of("0123456789.") != text.npos;
}

Result<ExpressionPtr> compare_address(CoreOperand which, bool negated, const OtherSide& other) {
    if (other.kind == OtherSide::Kind::myself) return ExpressionPtr(std::make_shared<AddressIsMyself>(which, negated));
    if (other.kind == OtherSide::Kind::address || other.kind == OtherSide::Kind::text ||
        other.kind == OtherSide::Kind::word) {
        if (const auto network = Network::parse(other.text))
            return ExpressionPtr(std::make_shared<AddressIn>(which, negated, std::vector{*network}));
        if (!is_host_name(other.text))
            return cannot_compare(which, fmt::format("\"{}\"", text::printable(other.text, 64)),
                                  "an address, a network such as 10.0.0.0/8, or a host name");
        auto found = networks_of_host(std::string(other.text));
        if (found.empty())
            LOG(warn, "config.host_unknown", kv("host", other.text),
                kv("hint", "it was looked up once, at start: no address is equal to it"));
        return ExpressionPtr(std::make_shared<AddressIn>(which, negated, std::move(found)));
    }
    if (other.kind == OtherSide::Kind::expression)
        return ExpressionPtr(std::make_shared<AddressEquals>(which, negated, other.expression));
    return cannot_compare(which, "that", "an address, a network or myself");
}

Result<ExpressionPtr> compare_uri(CoreOperand which, bool negated, const OtherSide& other) {
    if (other.kind == OtherSide::Kind::myself) return ExpressionPtr(std::make_shared<UriIsMyself>(which, negated));
    if (other.kind == OtherSide::Kind::text || other.kind == OtherSide::Kind::expression)
        return ExpressionPtr(
            std::make_shared<UriEquals>(std::make_shared<CoreOperandExpression>(which), negated, other.expression));
    return cannot_compare(which, "that", "a URI in quotes, or myself");
}

}  // namespace

bool core_word(CoreOperand which, std::string_view word, int64_t& number) {
    for (const NamedNumber& row : kWords)
        if (row.operand == words_of(which) && text::iequals(row.word, word)) {
            number = row.number;
            return true;
        }
    return false;
}

Result<ExpressionPtr> make_core_operand(CoreOperand which) {
    if (which == CoreOperand::myself)
        return Error{Errc::invalid, "myself stands alone", "compare it: uri == myself, src_ip == myself"};
    return ExpressionPtr(std::make_shared<CoreOperandExpression>(which));
}

Result<ExpressionPtr> make_core_comparison(CoreOperand which, bool negated, const OtherSide& other) {
    if (is_address(which)) return compare_address(which, negated, other);
    if (is_uri(which)) return compare_uri(which, negated, other);
    if (other.kind == OtherSide::Kind::myself) return cannot_compare(which, "myself", "a URI or an address can be");
    const bool named = other.kind == OtherSide::Kind::word || other.kind == OtherSide::Kind::text;
    if (which == CoreOperand::method && named) return ExpressionPtr(std::make_shared<MethodIs>(negated, other.text));
    return ExpressionPtr();
}

}  // namespace kahu::script
