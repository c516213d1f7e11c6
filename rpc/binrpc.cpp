#include "rpc/binrpc.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

namespace kahu::rpc::binrpc {
namespace {

constexpr unsigned char kMagicAndVersion = 0xA1;
enum RecordType : uint8_t { kInt = 0, kStr = 1, kDouble = 2, kStruct = 3, kArray = 4, kAvp = 5, kBytes = 6 };
constexpr uint8_t kLongForm = 0x80;  // S = 1; for STRUCT and ARRAY: the end mark

// Kamailio's words, which its users search for.
constexpr const char* kMoreData = "more data needed";
constexpr const char* kEndOfPacket = "end of packet encountered";
constexpr const char* kWrongType = "record doesn't match type";

uint64_t big_endian(std::string_view bytes) {
    uint64_t value = 0;
    for (const char c : bytes) value = value << 8 | static_cast<unsigned char>(c);
    return value;
}

// --- reading ---------------------------------------------------------------------------------------

struct Record {
    uint8_t type = 0;
    bool end = false;  // of a STRUCT or ARRAY
    std::string_view value;
};

class Reader {
  public:
    explicit Reader(std::string_view in) : in_(in) {}
    bool done() const { return at_ == in_.size(); }
    const char* problem() const { return problem_; }

    bool next(Record& out) {
        if (done()) return fail(kEndOfPacket);
        const auto first = static_cast<unsigned char>(in_[at_++]);
        out.type = first & 0x0F;
        out.end = false;
        size_t bytes = (first >> 4) & 7;
        if (out.type == kStruct || out.type == kArray) {
            out.end = (first & kLongForm) != 0;
            return bytes == 0 || fail(kWrongType);
        }
        if (out.type > kBytes) return fail("unknown record type");
        if (first & kLongForm) {
            const bool from_kamcmd = bytes == 0 && (out.type == kInt || out.type == kDouble);
            if (from_kamcmd) bytes = 8;
            else if (!long_size(bytes)) return false;
        }
        if (bytes > in_.size() - at_) return fail(kMoreData);
        out.value = in_.substr(at_, bytes);
        at_ += bytes;
        if ((out.type == kInt || out.type == kDouble) && bytes > 8) return fail("number too long");
        return true;
    }

  private:
    bool long_size(size_t& bytes) {
        const size_t of_length = bytes;
        if (of_length > in_.size() - at_) return fail(kMoreData);
        if (of_length > 4) return fail("length too long");
        bytes = static_cast<size_t>(big_endian(in_.substr(at_, of_length)));
        at_ += of_length;
        return true;
    }
    bool fail(const char* problem) {
        problem_ = problem;
        return false;
    }

    std::string_view in_;
    size_t at_ = 0;
    const char* problem_ = "";
};

int64_t int_of(std::string_view value) {
    const uint64_t raw = big_endian(value);
    return value.size() == 4 ? static_cast<int32_t>(raw) : static_cast<int64_t>(raw);
}
// A whole DOUBLE that no 32-bit INT could have held was an integer before it was sent.
RpcCall::Param number_of(std::string_view value) {
    const int64_t thousandths = static_cast<int64_t>(big_endian(value));
    const int64_t whole = thousandths / 1000;
    const bool fits_int = whole >= std::numeric_limits<int32_t>::min() && whole <= std::numeric_limits<int32_t>::max();
    if (thousandths % 1000 == 0 && !fits_int) return whole;
    return static_cast<double>(thousandths) / 1000.0;
}
// False: STR and AVP end with a NUL, which is not part of the text.
bool text_of(const Record& record, std::string_view& out) {
    out = record.value;
    if (record.type == kBytes) return true;
    if (out.empty() || out.back() != '\0') return false;
    out.remove_suffix(1);
    return true;
}

// What was read of a STRUCT that is not closed yet.
struct Open {
    bool array = false;
    std::optional<std::string> name;  // of the AVP whose value comes next
    RpcStruct members;
    bool named = false;
    std::string own_name;  // under which it goes into its parent

    RpcValue finish() && {
        if (!array && (named || members.empty())) return RpcValue(std::move(members));
        RpcArray values;
        values.reserve(members.size());
        for (auto& member : members) values.push_back(std::move(member.second));
        return RpcValue(std::move(values));
    }
};

class TreeReader {
  public:
    TreeReader(std::string_view body, const Limits& limits, std::vector<RpcValue>& out)
        : reader_(body), limits_(limits), out_(out) {}

    bool read(std::string& why) {
        Record record;
        while (!reader_.done()) {
            if (!reader_.next(record)) problem_ = reader_.problem();
            else if (++values_ > limits_.values) problem_ = "too many values";
            else problem_ = take(record);
            if (problem_ != nullptr) break;
        }
        if (problem_ == nullptr && !open_.empty()) problem_ = kEndOfPacket;
        if (problem_ != nullptr) why = problem_;
        return problem_ == nullptr;
    }

  private:
    // nullptr, or what is wrong.
    const char* take(const Record& record) {
        std::string_view text;
        switch (record.type) {
        case kStruct:
        case kArray: return record.end ? close(record.type == kArray) : open(record.type == kArray);
        case kInt: return add(RpcValue(static_cast<long long>(int_of(record.value))));
        case kDouble: return add(std::visit([](auto v) { return to_value(v); }, number_of(record.value)));
        case kAvp:
            if (open_.empty() || open_.back().array || open_.back().name || !text_of(record, text)) return kWrongType;
            open_.back().name = std::string(text);
            return nullptr;
        default: return text_of(record, text) ? add(RpcValue(std::string(text))) : kWrongType;
        }
    }
    static RpcValue to_value(int64_t v) { return RpcValue(static_cast<long long>(v)); }
    static RpcValue to_value(double v) { return RpcValue(v); }
    static RpcValue to_value(std::string v) { return RpcValue(std::move(v)); }

    const char* open(bool array) {
        if (open_.size() >= static_cast<size_t>(limits_.depth)) return "structs are nested too deeply";
        Open fresh;
        fresh.array = array;
        if (!open_.empty()) fresh.own_name = take_name();
        open_.push_back(std::move(fresh));
        return nullptr;
    }
    const char* close(bool array) {
        if (open_.empty() || open_.back().array != array || open_.back().name) return kWrongType;
        Open ended = std::move(open_.back());
        open_.pop_back();
        std::string name = std::move(ended.own_name);
        RpcValue value = std::move(ended).finish();
        if (open_.empty()) out_.push_back(std::move(value));
        else put(std::move(name), std::move(value));
        return nullptr;
    }
    const char* add(RpcValue value) {
        if (open_.empty()) out_.push_back(std::move(value));
        else put(take_name(), std::move(value));
        return nullptr;
    }
    std::string take_name() {
        std::string name = open_.back().name.value_or(std::string());
        if (open_.back().name) open_.back().named = true;
        open_.back().name.reset();
        return name;
    }
    void put(std::string name, RpcValue value) { open_.back().members.emplace_back(std::move(name), std::move(value)); }

    Reader reader_;
    const Limits& limits_;
    std::vector<RpcValue>& out_;
    std::vector<Open> open_;
    size_t values_ = 0;
    const char* problem_ = nullptr;
};

// --- writing ---------------------------------------------------------------------------------------

int bytes_needed(uint64_t value) {
    int bytes = 0;
    for (; value != 0; value >>= 8) ++bytes;
    return bytes;
}
void put_big_endian(std::string& out, uint64_t value, int bytes) {
    while (bytes-- > 0) out.push_back(static_cast<char>(value >> (8 * bytes)));
}
void put_byte(std::string& out, unsigned value) { out.push_back(static_cast<char>(value)); }

void put_number(std::string& out, RecordType type, uint64_t value, int bytes) {
    if (bytes < 8) put_byte(out, static_cast<unsigned>(bytes) << 4 | type);
    else {
        put_byte(out, kLongForm | 1u << 4 | type);
        put_byte(out, static_cast<unsigned>(bytes));
    }
    put_big_endian(out, value, bytes);
}
// What is larger is written as this; a whole number, and exact as a double.
constexpr int64_t kMostThousandths = 9'200'000'000'000'000'000;

void put_thousandths(std::string& out, int64_t value) {
    const auto raw = static_cast<uint64_t>(value);
    put_number(out, kDouble, raw, value < 0 ? 8 : bytes_needed(raw));
}
void put_double(std::string& out, double value) {
    const double thousandths = std::isnan(value) ? 0 : std::round(value * 1000.0);
    put_thousandths(out,
                    static_cast<int64_t>(std::clamp(thousandths, -double{kMostThousandths}, double{kMostThousandths})));
}
void put_int(std::string& out, int64_t value) {
    if (value >= 0 && value <= std::numeric_limits<int32_t>::max()) {
        const auto raw = static_cast<uint64_t>(value);
        put_number(out, kInt, raw, bytes_needed(raw));
    } else if (value < 0 && value >= std::numeric_limits<int32_t>::min()) {
        put_number(out, kInt, static_cast<uint32_t>(value), 4);
    } else if (value <= kMostThousandths / 1000 && value >= -kMostThousandths / 1000) {
        put_thousandths(out, value * 1000);
    } else {
        put_thousandths(out, value > 0 ? kMostThousandths : -kMostThousandths);
    }
}
void put_text(std::string& out, RecordType type, std::string_view text) {
    const uint64_t bytes = text.size() + 1;
    if (bytes < 8) put_byte(out, static_cast<unsigned>(bytes) << 4 | type);
    else {
        const int of_length = bytes_needed(bytes);
        put_byte(out, kLongForm | static_cast<unsigned>(of_length) << 4 | type);
        put_big_endian(out, bytes, of_length);
    }
    out.append(text);
    out.push_back('\0');
}

void put_value(std::string& out, const RpcValue& value);

struct PutValue {
    std::string& out;
    void operator()(int64_t v) const { put_int(out, v); }
    void operator()(double v) const { put_double(out, v); }
    void operator()(const std::string& v) const { put_text(out, kStr, v); }
    void operator()(const RpcStruct& members) const {
        put_byte(out, kStruct);
        for (const auto& [name, member] : members) {
            if (!name.empty()) put_text(out, kAvp, name);
            put_value(out, member);
        }
        put_byte(out, kLongForm | kStruct);
    }
    // A list of {name: value} is one struct in which names repeat: so Kamailio writes Contacts of ul.dump.
    void operator()(const RpcArray& values) const {
        put_byte(out, kStruct);
        for (const RpcValue& member : values) {
            const auto* const wrapped = std::get_if<RpcStruct>(&member.data());
            if (wrapped != nullptr && wrapped->size() == 1) {
                put_text(out, kAvp, wrapped->front().first);
                put_value(out, wrapped->front().second);
            } else {
                put_value(out, member);
            }
        }
        put_byte(out, kLongForm | kStruct);
    }
};
void put_value(std::string& out, const RpcValue& value) { std::visit(PutValue{out}, value.data()); }

// Kamailio writes both lengths as short as they go; kamcmd takes them in any length.
std::string packet(PacketType type, uint32_t cookie, std::string_view body) {
    const int length_bytes = std::max(1, bytes_needed(body.size()));
    const int cookie_bytes = std::max(1, bytes_needed(cookie));
    std::string out;
    out.reserve(10 + body.size());
    put_byte(out, kMagicAndVersion);
    put_byte(out, static_cast<unsigned>(type) << 4 | static_cast<unsigned>(length_bytes - 1) << 2 |
                      static_cast<unsigned>(cookie_bytes - 1));
    put_big_endian(out, body.size(), length_bytes);
    put_big_endian(out, cookie, cookie_bytes);
    out.append(body);
    return out;
}

}  // namespace

HeaderStatus read_header(std::string_view bytes, Header& out) {
    if (bytes.empty()) return HeaderStatus::need_more;
    if (static_cast<unsigned char>(bytes[0]) != kMagicAndVersion) return HeaderStatus::corrupt;
    if (bytes.size() < 2) return HeaderStatus::need_more;
    const auto second = static_cast<unsigned char>(bytes[1]);
    const unsigned type = second >> 4;
    if (type != 0 && type != 1 && type != 3) return HeaderStatus::corrupt;
    const size_t length_bytes = ((second >> 2) & 3) + 1u;
    const size_t cookie_bytes = (second & 3) + 1u;
    if (bytes.size() < 2 + length_bytes + cookie_bytes) return HeaderStatus::need_more;
    out.type = static_cast<PacketType>(type);
    out.body_bytes = static_cast<size_t>(big_endian(bytes.substr(2, length_bytes)));
    out.cookie = static_cast<uint32_t>(big_endian(bytes.substr(2 + length_bytes, cookie_bytes)));
    out.header_bytes = 2 + length_bytes + cookie_bytes;
    return HeaderStatus::complete;
}

bool read_request(std::string_view body, const Limits& limits, Request& out, std::string& why) {
    Reader reader(body);
    Record record;
    std::string_view text;
    const auto fail = [&](std::string where, const char* problem) {
        why = std::move(where) + problem;
        return false;
    };
    if (!reader.next(record)) return fail("bad request method: ", reader.problem());
    if ((record.type != kStr && record.type != kBytes) || !text_of(record, text))
        return fail("bad request method: ", kWrongType);
    out.method.assign(text);
    out.params.clear();
    while (!reader.done()) {
        const auto where = [&] { return "error at parameter " + std::to_string(out.params.size()) + ": "; };
        if (out.params.size() >= limits.params) return fail(where(), "too many parameters");
        if (!reader.next(record)) return fail(where(), reader.problem());
        switch (record.type) {
        case kInt: out.params.emplace_back(int_of(record.value)); break;
        case kDouble: out.params.push_back(number_of(record.value)); break;
        case kStr:
        case kBytes:
            if (!text_of(record, text)) return fail(where(), "string is not terminated");
            out.params.emplace_back(std::string(text));
            break;
        default: return fail(where(), "expected a number or a string but record doesn't match type");
        }
    }
    return true;
}

bool read_values(std::string_view body, const Limits& limits, std::vector<RpcValue>& out, std::string& why) {
    out.clear();
    return TreeReader(body, limits, out).read(why);
}

bool read_fault(std::string_view body, Fault& out, std::string& why) {
    std::vector<RpcValue> values;
    if (!read_values(body, Limits{}, values, why)) return false;
    const auto* code = values.size() == 2 ? std::get_if<int64_t>(&values[0].data()) : nullptr;
    const auto* reason = values.size() == 2 ? std::get_if<std::string>(&values[1].data()) : nullptr;
    if (code == nullptr || reason == nullptr) {
        why = "a fault is a number and a string";
        return false;
    }
    out.code = static_cast<int>(*code);
    out.reason = *reason;
    return true;
}

std::string write_request(uint32_t cookie, std::string_view method, const std::vector<RpcCall::Param>& params) {
    std::string body;
    put_text(body, kStr, method);
    for (const RpcCall::Param& param : params) std::visit(PutValue{body}, param);
    return packet(PacketType::request, cookie, body);
}

std::string write_reply(uint32_t cookie, const std::vector<RpcValue>& values) {
    std::string body;
    for (const RpcValue& value : values) put_value(body, value);
    return packet(PacketType::reply, cookie, body);
}

std::string write_fault(uint32_t cookie, int code, std::string_view reason) {
    std::string body;
    put_int(body, code);
    put_text(body, kStr, reason);
    return packet(PacketType::fault, cookie, body);
}

}  // namespace kahu::rpc::binrpc
