// What Debian's kamcmd 5.6.3 sent and its kamailio answered, byte for byte, and what must not be accepted.
#include "rpc/binrpc.h"

#include <gtest/gtest.h>

#include "rpc/answer.h"

namespace kahu::rpc::binrpc {
namespace {

std::string from_hex(std::string_view hex) {
    std::string out;
    for (size_t i = 0; i + 1 < hex.size(); i += 2)
        out.push_back(static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16)));
    return out;
}
std::string to_hex(std::string_view bytes) {
    constexpr char digits[] = "0123456789abcdef";
    std::string out;
    for (const char c : bytes) {
        out += digits[static_cast<unsigned char>(c) >> 4];
        out += digits[static_cast<unsigned char>(c) & 15];
    }
    return out;
}

struct Captured {
    const char* name;
    const char* hex;
    std::vector<RpcValue> values;
};
const Captured kReplies[] = {
    {"pwd", "a1130f11223344910d2f746d702f727063776f726b00", {"/tmp/rpcwork"}},
    {"one_byte_cookie", "a1100f01910d2f746d702f727063776f726b00", {"/tmp/rpcwork"}},
    {"empty", "a1130011223344", {}},
    {"short_strings", "a1130611223344216100213100", {"a", "1"}},
    {"small_int", "a11302112233441005", {5}},
    {"zero", "a113011122334400", {0}},
    {"debug", "a1130b112233440365646562756700100283", {RpcStruct{{"debug", 2}}}},
    {"udp4_raw",
     "a1133111223344039509756470345f7261770000950d756470345f7261775f6d7475002005dc950d756470345f7261775f74746c00104083",
     {RpcStruct{{"udp4_raw", 0}, {"udp4_raw_mtu", 1500}, {"udp4_raw_ttl", 64}}}},
    {"tcp_list",
     "a1138f11223344033569640010015574797065004154435000657374617465009108434f4e4e5f4f4b00950874696d656f757400100495096"
     "c69666574"
     "696d65001078950a7265665f636f756e74001002757372635f697000910a3132372e302e302e310095097372635f706f72740020d98c75647"
     "3745f6970"
     "00910a3132372e302e302e310095096473745f706f72740020665883",
     {RpcStruct{{"id", 1},
                {"type", "TCP"},
                {"state", "CONN_OK"},
                {"timeout", 4},
                {"lifetime", 120},
                {"ref_count", 2},
                {"src_ip", "127.0.0.1"},
                {"src_port", 55692},
                {"dst_ip", "127.0.0.1"},
                {"dst_port", 26200}}}},
    {"eight_byte_text_is_long", "a1130a112233449108434f4e4e5f4f4b00", {"CONN_OK"}},
    {"negative_int", "a113051122334440fffffff9", {-7}},
    {"large_double", "a1130611223344520fa0000000", {67108864.0}},
};

class Replies : public testing::TestWithParam<Captured> {};

TEST_P(Replies, AreWrittenAsKamailioWritesThem) {
    const uint32_t cookie = std::string(GetParam().name) == "one_byte_cookie" ? 1 : 0x11223344;
    EXPECT_EQ(to_hex(write_reply(cookie, GetParam().values)), GetParam().hex);
}
TEST_P(Replies, AreReadBack) {
    const std::string packet = from_hex(GetParam().hex);
    Header header;
    ASSERT_EQ(read_header(packet, header), HeaderStatus::complete);
    EXPECT_EQ(header.type, PacketType::reply);
    std::vector<RpcValue> values;
    std::string why;
    ASSERT_TRUE(read_values(std::string_view(packet).substr(header.header_bytes), Limits{}, values, why)) << why;
    EXPECT_EQ(write_reply(1, values), write_reply(1, GetParam().values));
}
TEST_P(Replies, EveryPrefixIsIncompleteAndNothingIsReadPastIt) {
    const std::string packet = from_hex(GetParam().hex);
    for (size_t n = 0; n < packet.size(); ++n) {
        const std::vector<char> exact(packet.begin(), packet.begin() + static_cast<long>(n));
        const std::string_view view(exact.data(), n);
        Header header;
        const HeaderStatus status = read_header(view, header);
        EXPECT_NE(status, HeaderStatus::corrupt);
        if (status == HeaderStatus::complete) {
            EXPECT_GT(header.packet_bytes(), n);
            std::vector<RpcValue> values;
            std::string why;
            (void)read_values(view.substr(header.header_bytes), Limits{}, values, why);
        }
    }
}
INSTANTIATE_TEST_SUITE_P(Captured, Replies, testing::ValuesIn(kReplies),
                         [](const auto& i) { return std::string(i.param.name); });

TEST(Faults, AreKamailios) {
    EXPECT_EQ(to_hex(write_fault(0x234ff7b1, 500, "command nosuch not found")),
              "a1331e234ff7b12001f49119636f6d6d616e64206e6f73756368206e6f7420666f756e6400");
    Fault fault;
    std::string why;
    const std::string body = from_hex("2001f49119636f6d6d616e64206e6f73756368206e6f7420666f756e6400");
    ASSERT_TRUE(read_fault(body, fault, why)) << why;
    EXPECT_EQ(fault.code, 500);
    EXPECT_EQ(fault.reason, "command nosuch not found");
}

// kamcmd core.x -- -7 2.5 0x10 010 -2.5 s: 'a b' 70000000000 (which it truncates to 32 bits)
TEST(Requests, OfKamcmdAreRead) {
    const std::string packet =
        from_hex("a1032a135721a971636f72652e780040fffffff92209c4223e80100a82fffffffffffff63c11004161206200404c533c00");
    Header header;
    ASSERT_EQ(read_header(packet, header), HeaderStatus::complete);
    EXPECT_EQ(header.cookie, 0x135721a9u);
    EXPECT_EQ(header.packet_bytes(), packet.size());
    Request request;
    std::string why;
    ASSERT_TRUE(read_request(std::string_view(packet).substr(header.header_bytes), Limits{}, request, why)) << why;
    EXPECT_EQ(request.method, "core.x");
    const std::vector<RpcCall::Param> wanted = {
        int64_t{-7}, 2.5, 16.0, int64_t{10}, -2.5, std::string(), std::string("a b"), int64_t{1280523264}};
    EXPECT_EQ(request.params, wanted);
}

struct Number {
    const char* name;
    RpcValue value;
    const char* record;
};
const Number kNumbers[] = {
    {"largest_int", int64_t{2147483647}, "407fffffff"},
    {"smallest_int", int64_t{-2147483648LL}, "4080000000"},
    {"minus_one", -1, "40ffffffff"},
    {"beyond_int_is_double", int64_t{2147483648LL}, "6201f400000000"},
    {"half", 0.5, "2201f4"},
    {"zero_double", 0.0, "02"},
    {"negative_double", -2.5, "9208fffffffffffff63c"},
    {"thousandth", 0.001, "1201"},
};
class Numbers : public testing::TestWithParam<Number> {};
TEST_P(Numbers, AreWrittenSoThatKamcmdReadsThem) {
    EXPECT_EQ(to_hex(write_reply(1, {GetParam().value}).substr(4)), GetParam().record);
}
TEST_P(Numbers, ComeBack) {
    std::vector<RpcValue> values;
    std::string why;
    ASSERT_TRUE(read_values(from_hex(GetParam().record), Limits{}, values, why)) << why;
    ASSERT_EQ(values.size(), 1u);
    EXPECT_EQ(values[0].data().index(), GetParam().value.data().index());
    if (const auto* whole = std::get_if<int64_t>(&values[0].data())) {
        EXPECT_EQ(*whole, std::get<int64_t>(GetParam().value.data()));
    }
    if (const auto* real = std::get_if<double>(&values[0].data())) {
        EXPECT_DOUBLE_EQ(*real, std::get<double>(GetParam().value.data()));
    }
}
INSTANTIATE_TEST_SUITE_P(Written, Numbers, testing::ValuesIn(kNumbers),
                         [](const auto& i) { return std::string(i.param.name); });

TEST(Numbers64, TravelUnchangedUpToAThousandthOfTheRange) {
    for (const int64_t value : {int64_t{1} << 31, int64_t{1} << 40, int64_t{9'200'000'000'000'000},
                                int64_t{-9'200'000'000'000'000}, int64_t{-5'000'000'000}}) {
        std::vector<RpcValue> values;
        std::string why;
        ASSERT_TRUE(
            read_values(write_reply(1, {RpcValue(static_cast<long long>(value))}).substr(4), Limits{}, values, why))
            << why;
        EXPECT_EQ(std::get<int64_t>(values.at(0).data()), value);
    }
}

// Kamailio's words, as it answered them.
struct Refused {
    const char* name;
    const char* body;
    const char* why;
};
const Refused kRefused[] = {
    {"empty", "", "bad request method: end of packet encountered"},
    {"cut_string", "910f", "bad request method: more data needed"},
    {"cut_number", "20", "bad request method: more data needed"},
    {"number_as_method", "1005", "bad request method: record doesn't match type"},
    {"struct_as_method", "0383", "bad request method: record doesn't match type"},
    {"length_of_7_bytes", "f1ffffffffffffff", "bad request method: length too long"},
    {"length_beyond_the_end", "c1ffffffff61", "bad request method: more data needed"},
    {"unknown_type", "0f", "bad request method: unknown record type"},
    {"no_nul", "216162", "bad request method: record doesn't match type"},
    {"struct_parameter", "2161000383",
     "error at parameter 0: expected a number or a string but record doesn't match type"},
    {"cut_parameter", "2161003161", "error at parameter 0: more data needed"},
    {"nine_byte_number", "2161009009010203040506070809", "error at parameter 0: number too long"},
};
class Refusals : public testing::TestWithParam<Refused> {};
TEST_P(Refusals, SayWhy) {
    Request request;
    std::string why;
    EXPECT_FALSE(read_request(from_hex(GetParam().body), Limits{}, request, why));
    EXPECT_EQ(why, GetParam().why);
}
INSTANTIATE_TEST_SUITE_P(Malformed, Refusals, testing::ValuesIn(kRefused),
                         [](const auto& i) { return std::string(i.param.name); });

TEST(Headers, OfOtherProtocolsAreCorrupt) {
    Header header;
    for (const char* hex : {"00", "47455420", "a2130111223344", "a1230111223344", "a1f30111223344"})
        EXPECT_EQ(read_header(from_hex(hex), header), HeaderStatus::corrupt) << hex;
}

TEST(Values, DeepNestingIsRefused) {
    std::vector<RpcValue> values;
    std::string why;
    const std::string deep = std::string(1000, '\x03') + std::string(1000, '\x83');
    EXPECT_FALSE(read_values(deep, Limits{}, values, why));
    EXPECT_EQ(why, "structs are nested too deeply");
    EXPECT_FALSE(read_values(std::string(5, '\x03'), Limits{}, values, why));
    EXPECT_FALSE(read_values("\x83", Limits{}, values, why));
    EXPECT_FALSE(read_values(from_hex("0335610083"), Limits{}, values, why)) << "a name without a value";
    EXPECT_FALSE(read_values(from_hex("0384"), Limits{}, values, why)) << "struct closed as an array";
}

TEST(Values, AStructOfBareValuesIsAList) {
    std::vector<RpcValue> values;
    std::string why;
    ASSERT_TRUE(read_values(from_hex("031001100283"
                                     "041001840383"),
                            Limits{}, values, why))
        << why;
    ASSERT_EQ(values.size(), 3u);
    EXPECT_EQ(std::get<RpcArray>(values[0].data()).size(), 2u);
    EXPECT_EQ(std::get<RpcArray>(values[1].data()).size(), 1u);
    EXPECT_TRUE(std::get<RpcStruct>(values[2].data()).empty());
}

TEST(Framing, ARequestIsWholeOrWaitsOrIsBroken) {
    const std::string packet = write_request(7, "core.version", {});
    for (size_t n = 0; n < packet.size(); ++n)
        EXPECT_EQ(frame_request(std::string_view(packet).substr(0, n)).what, Framed::What::need_more) << n;
    EXPECT_EQ(frame_request(packet + "more").what, Framed::What::request);
    EXPECT_EQ(to_hex(frame_request("GET / HTTP").fault),
              "a1302300200190911e62616420726571756573743a20636f72727570746564207061636b657400");
    EXPECT_EQ(frame_request(from_hex("a10b0fffff00000000")).what, Framed::What::broken) << "a body of 1 MB";
    EXPECT_EQ(frame_request(write_reply(7, {})).what, Framed::What::broken) << "a reply is no request";
}

}  // namespace
}  // namespace kahu::rpc::binrpc
