// JSON-RPC documents: what is answered, in which layout, and that nothing a client sends is a surprise.
#include "core/modules/jsonrpcs/protocol.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "core/modules/jsonrpcs/json_text.h"
#include "core/modules/jsonrpcs/module.h"
#include "rpc/registry.h"

namespace kahu::jsonrpcs {
namespace {

void nothing(RpcCall&) {}
void one(RpcCall& call) { call.add(RpcStruct{{"now", "today"}, {"uptime", 22}}); }
void two(RpcCall& call) {
    call.add(1);
    call.add(2);
}
void psx(RpcCall& call) { call.add(RpcStruct{{"IDX", 0}, {"list", RpcArray{}}}); }
void fault(RpcCall& call) { call.fault(400, "no \"such\" thing\n"); }
void bytes(RpcCall& call) { call.add(std::string("a\xff\xc3\xa4\x01\"\\")); }
constexpr Command kTestCommands[] = {
    {"test.nothing", "", "x", nothing}, {"test.one", "", "x", one},     {"test.two", "", "x", two},
    {"core.psx", "", "x", psx},         {"test.fault", "", "x", fault}, {"test.bytes", "", "x", bytes},
};

Answer answer_now(std::string_view document, std::string_view client, bool pretty) {
    std::optional<Answer> made;
    answer(document, client, pretty, [&made](Answer text) { made = std::move(text); });
    EXPECT_TRUE(made.has_value());
    return made.value_or(Answer{});
}

class Protocol : public testing::Test {
  protected:
    Protocol() {
        EXPECT_TRUE(rpc::register_commands(kTestCommands));
        EXPECT_TRUE(rpc::register_commands(kModule.commands));
    }
    static std::string ask(std::string_view document) { return answer_now(document, "test", false).text; }
};

struct Case {
    const char* name;
    std::string_view document, expected;
};
constexpr Case kCases[] = {
    {"none", R"({"jsonrpc":"2.0","method":"test.nothing","id":1})", R"({"jsonrpc":"2.0","result":{},"id":1})"},
    {"line ends in a string", "{\"jsonrpc\":\"2.0\",\"method\":\"core.ec\r\nho\",\"id\":\"a\tb\\\"\"}",
     R"({"jsonrpc":"2.0","error":{"code":500,"message":"Method Not Found"},"id":"a\tb\""})"},
    {"one", R"({"jsonrpc":"2.0","method":"test.one","id":"x"})",
     R"({"jsonrpc":"2.0","result":{"now":"today","uptime":22},"id":"x"})"},
    {"two", R"({"jsonrpc":"2.0","method":"test.two","id":1.5})", R"({"jsonrpc":"2.0","result":[1,2],"id":1.5})"},
    {"always_list", R"({"jsonrpc":"2.0","method":"core.psx","id":null})",
     R"({"jsonrpc":"2.0","result":[{"IDX":0,"list":[]}],"id":null})"},
    {"no_id", R"({"jsonrpc":"2.0","method":"test.nothing"})", R"({"jsonrpc":"2.0","result":{}})"},
    {"fault", R"({"jsonrpc":"2.0","method":"test.fault","id":1})",
     R"({"jsonrpc":"2.0","error":{"code":400,"message":"no \"such\" thing\n"},"id":1})"},
    {"unknown", R"({"jsonrpc":"2.0","method":"nosuch","id":1})",
     R"({"jsonrpc":"2.0","error":{"code":500,"message":"Method Not Found"},"id":1})"},
    {"params", R"({"jsonrpc":"2.0","method":"jsonrpc.echo","params":["a",-2,0.5,true],"id":1})",
     R"({"jsonrpc":"2.0","result":["a",-2,0.5,1],"id":1})"},
    {"named_params", R"({"jsonrpc":"2.0","method":"jsonrpc.echo","params":{"b":"x","a":2},"id":1})",
     R"({"jsonrpc":"2.0","result":["x",2],"id":1})"},
    {"deep_params", R"({"jsonrpc":"2.0","method":"jsonrpc.echo","params":[[1]],"id":1})",
     R"({"jsonrpc":"2.0","error":{"code":-32602,"message":"Invalid params"},"id":1})"},
    {"method_is_no_text", R"({"jsonrpc":"2.0","method":5,"id":7})",
     R"({"jsonrpc":"2.0","error":{"code":-32600,"message":"Invalid Request"},"id":7})"},
    {"no_version", R"({"method":"test.one","id":"abc"})",
     R"({"jsonrpc":"2.0","error":{"code":-32600,"message":"Invalid Request"},"id":"abc"})"},
    {"number", "5", R"({"jsonrpc":"2.0","error":{"code":-32600,"message":"Invalid Request"},"id":null})"},
    {"empty_list", "[]", R"({"jsonrpc":"2.0","error":{"code":-32600,"message":"Invalid Request"},"id":null})"},
    {"broken", R"({"jsonrpc":)", R"({"jsonrpc":"2.0","error":{"code":-32700,"message":"Parse error"},"id":null})"},
    {"list", R"([{"jsonrpc":"2.0","method":"test.two","id":1},3])",
     R"([{"jsonrpc":"2.0","result":[1,2],"id":1},{"jsonrpc":"2.0","error":{"code":-32600,"message":"Invalid Request"},"id":null}])"},
    {"bytes", R"({"jsonrpc":"2.0","method":"test.bytes","id":1})",
     "{\"jsonrpc\":\"2.0\",\"result\":\"a\\ufffd\xc3\xa4\\u0001\\\"\\\\\",\"id\":1}"},
};
TEST_F(Protocol, AnswersEachDocument) {
    for (const Case& c : kCases) {
        SCOPED_TRACE(c.name);
        EXPECT_EQ(ask(c.document), c.expected);
        EXPECT_TRUE(nlohmann::json::accept(answer_now(c.document, "test", true).text));
    }
}

TEST_F(Protocol, LooksLikeKamailios) {  // captured from 5.6.3
    EXPECT_EQ(answer_now(R"({"jsonrpc":"2.0","method":"test.one","id":1})", "", true).text,
              "{\n\t\"jsonrpc\":\t\"2.0\",\n\t\"result\":\t{\n\t\t\"now\":\t\"today\",\n\t\t\"uptime\":\t22\n\t},\n"
              "\t\"id\":\t1\n}");
    EXPECT_EQ(answer_now(R"({"jsonrpc":"2.0","method":"core.psx","id":1})", "", true).text,
              "{\n\t\"jsonrpc\":\t\"2.0\",\n\t\"result\":\t[{\n\t\t\t\"IDX\":\t0,\n\t\t\t\"list\":\t[]\n\t\t}],"
              "\n\t\"id\":\t1\n}");
}

TEST_F(Protocol, EveryPrefixAndEveryChangedByteIsAnsweredWithJson) {
    for (const Case& c : kCases)
        for (size_t n = 0; n <= c.document.size(); ++n) {
            const std::string prefix(c.document.substr(0, n));
            EXPECT_TRUE(nlohmann::json::accept(ask(prefix))) << prefix;
            if (n == c.document.size()) continue;
            std::string changed(c.document);
            changed[n] = static_cast<char>(changed[n] ^ 0x95);
            EXPECT_TRUE(nlohmann::json::accept(ask(changed))) << changed;
        }
}

TEST_F(Protocol, DepthIsBounded) {
    const std::string deep(100'000, '[');
    EXPECT_NE(ask(deep).find("-32700"), std::string::npos);
    EXPECT_EQ(frame_document(deep, 1 << 20).what, Framed::What::broken);
}

TEST(Framing, FindsTheEndOfADocument) {
    EXPECT_EQ(frame_document("  {\"a\":\"}\\\"}\"} {", 100).bytes, 14u);
    EXPECT_EQ(frame_document("", 100).what, Framed::What::need_more);
    EXPECT_EQ(frame_document(" \n", 100).what, Framed::What::need_more);
    EXPECT_EQ(frame_document("{\"a\":[1,2", 100).what, Framed::What::need_more);
    EXPECT_EQ(frame_document("hello {", 100).what, Framed::What::broken);
    EXPECT_EQ(frame_document("hello {", 100).bytes, 6u);
    EXPECT_EQ(frame_document("hello", 100).bytes, 5u);
    EXPECT_EQ(frame_document("{\"a\":\"" + std::string(200, 'x'), 100).what, Framed::What::broken);
}

TEST_F(Protocol, ReplyNameIsHandedToTheCarrier) {
    EXPECT_EQ(answer_now(R"({"jsonrpc":"2.0","method":"test.one","reply_name":"r1","id":1})", "", false).reply_name,
              "r1");
    EXPECT_EQ(answer_now(R"({"jsonrpc":"2.0","method":"test.one","reply_name":5,"id":1})", "", false).reply_name, "");
    EXPECT_EQ(error_like(R"({"id":9})", 500, "too big", false),
              R"({"jsonrpc":"2.0","error":{"code":500,"message":"too big"},"id":9})");
}

TEST(Module, RowsAreWellFormed) { EXPECT_TRUE(well_formed(kModule)); }

}  // namespace
}  // namespace kahu::jsonrpcs
