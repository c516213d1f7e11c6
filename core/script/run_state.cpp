// What a run carries from one process to another: a flat text of fields, each with its length.
#include <cstring>

#include "core/script/run.h"
#include "mem/contract.h"

namespace kahu::script {
namespace {

class Packer {
  public:
    explicit Packer(std::string& out) : out_(out) {}
    template <class T>
    void number(T value) {
        out_.append(reinterpret_cast<const char*>(&value), sizeof value);
    }
    void text(std::string_view text) {
        number(static_cast<uint32_t>(text.size()));
        out_.append(text);
    }

  private:
    std::string& out_;
};

class Unpacker {
  public:
    explicit Unpacker(std::string_view in) : in_(in) {}
    template <class T>
    T number() {
        REQUIRE(in_.size() >= sizeof(T));
        T value;
        std::memcpy(&value, in_.data(), sizeof value);
        in_.remove_prefix(sizeof value);
        return value;
    }
    std::string_view text() {
        const auto bytes = number<uint32_t>();
        REQUIRE(in_.size() >= bytes);
        const std::string_view text = in_.substr(0, bytes);
        in_.remove_prefix(bytes);
        return text;
    }

  private:
    std::string_view in_;
};

}  // namespace

void Run::save(std::string& out) const {
    Packer pack(out);
    pack.number(flags);
    pack.number(xflags);
    pack.number(static_cast<uint32_t>(avps_.size()));
    for (const Avp& avp : avps_) {
        pack.text(avp.name);
        pack.number(avp.value.kind);
        pack.number(avp.value.number);
        pack.text(avp.value.text);
    }
    pack.number(static_cast<uint32_t>(xavps.all().size()));
    for (const Xavps::Entry& entry : xavps.all()) {
        pack.number(entry.list);
        pack.number(entry.is_list);
        pack.number(entry.id);
        pack.number(entry.parent);
        pack.text(entry.name);
        pack.number(entry.value.kind);
        pack.number(entry.value.number);
        pack.text(entry.value.text);
    }
    pack.number(force_rport);
    pack.number(request_uri_changed());
    pack.text(new_uri_);
    pack.text(destination_uri_);
    pack.text(reply_headers);
    pack.text(reply_body);
    pack.text(reply_body_type);
    for (const bool flag :
         {record_route.wanted, record_route.doubled, record_route.always_doubled, record_route.ignore_sips,
          record_route.socket_names, forward_no_connect, reply_no_connect, add_local_rport})
        pack.number(flag);
    pack.number(record_route.flows_to);
    for (const std::string_view part :
         {record_route.user, record_route.flow_in, record_route.flow_out, record_route.params, record_route.presets[0],
          record_route.presets[1], record_route.advertised, path_lines, advertised_host, advertised_port})
        pack.text(part);
    const size_t length_at = out.size();
    pack.number(uint32_t{0});
    edits.save(out);
    const auto edit_bytes = static_cast<uint32_t>(out.size() - length_at - sizeof(uint32_t));
    std::memcpy(out.data() + length_at, &edit_bytes, sizeof edit_bytes);
}

namespace {

void unpack_shared(Unpacker& unpack, Run& run) {
    run.flags = unpack.number<uint32_t>();
    run.xflags = unpack.number<uint64_t>();
    for (auto left = unpack.number<uint32_t>(); left != 0; --left) {
        const std::string_view name = unpack.text();
        Value value;
        value.kind = unpack.number<Value::Kind>();
        value.number = unpack.number<int64_t>();
        value.text = unpack.text();
        run.add_avp(name, value);
    }
    run.xavps.clear();
    for (auto left = unpack.number<uint32_t>(); left != 0; --left) {
        Xavps::Entry entry;
        entry.list = unpack.number<Xavps::List>();
        entry.is_list = unpack.number<bool>();
        entry.id = unpack.number<uint32_t>();
        entry.parent = unpack.number<uint32_t>();
        entry.name = run.arena().copy(unpack.text());
        entry.value.kind = unpack.number<Value::Kind>();
        entry.value.number = unpack.number<int64_t>();
        entry.value.text = run.arena().copy(unpack.text());
        run.xavps.restore(entry);
    }
}

}  // namespace

void Run::restore_shared(std::string_view saved) {
    avps_.clear();
    Unpacker unpack(saved);
    unpack_shared(unpack, *this);
}

void Run::restore(std::string_view saved) {
    avps_.clear();
    Unpacker unpack(saved);
    unpack_shared(unpack, *this);
    force_rport = unpack.number<bool>();
    const bool changed = unpack.number<bool>();
    const std::string_view uri = unpack.text();
    if (changed) set_request_uri(uri);
    else revert_request_uri();
    set_destination_uri(unpack.text());
    reply_headers = unpack.text();
    reply_body = unpack.text();
    reply_body_type = unpack.text();
    for (bool* flag :
         {&record_route.wanted, &record_route.doubled, &record_route.always_doubled, &record_route.ignore_sips,
          &record_route.socket_names, &forward_no_connect, &reply_no_connect, &add_local_rport})
        *flag = unpack.number<bool>();
    record_route.flows_to = unpack.number<Phone>();
    for (std::string_view* part : {&record_route.user, &record_route.flow_in, &record_route.flow_out,
                                   &record_route.params, &record_route.presets[0], &record_route.presets[1],
                                   &record_route.advertised, &path_lines, &advertised_host, &advertised_port})
        *part = arena_.copy(unpack.text());
    edits.load(unpack.text());
}

}  // namespace kahu::script
