// JSON-RPC documents from anywhere: what is answered is JSON, and a stream of documents is cut where JSON says.
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "core/modules/jsonrpcs/module.h"
#include "core/modules/jsonrpcs/protocol.h"
#include "rpc/registry.h"
#include "test/fuzz/expect.h"

namespace {

using namespace kahu::jsonrpcs;
using Json = nlohmann::json;

void answer_of(std::string_view document) {
    static const bool registered = static_cast<bool>(kahu::rpc::register_commands(kModule.commands));  // jsonrpc.echo
    FUZZ_EXPECT(registered);
    for (const bool pretty : {false, true}) {
        bool answered = false;
        answer(document, "fuzz", pretty, [&answered](const Answer& made) {
            answered = true;
            FUZZ_EXPECT(made.text.empty() || !Json::parse(made.text, nullptr, false).is_discarded());
        });
        FUZZ_EXPECT(answered);
    }
    const std::string error = error_like(document, 500, "too long", false);
    FUZZ_EXPECT(!Json::parse(error, nullptr, false).is_discarded());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    std::string_view rest = kahu::fuzz::text_of(data, size);
    answer_of(rest);
    while (!rest.empty()) {
        const Framed framed = frame_document(rest, 4096);
        if (framed.what == Framed::What::need_more) {
            FUZZ_EXPECT(rest.size() <= 4096);
            break;
        }
        FUZZ_EXPECT(framed.bytes > 0 && framed.bytes <= rest.size());
        if (framed.what == Framed::What::document) answer_of(rest.substr(0, framed.bytes));
        rest.remove_prefix(framed.bytes);
    }
    return 0;
}
