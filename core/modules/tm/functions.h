// core/modules/tm/functions.h -- the script functions of module tm, and those of tmx.
#pragma once
#include <span>

#include "core/module/descriptor.h"
#include "core/script/transaction_layer.h"

namespace kahu::tm {
std::span<const Function> tm_functions();
std::span<const Function> tmx_functions();
// send_reply() of module sl: through the transaction, if there is one.
script::TransactionLayer::Answered reply_through_transaction(script::Run& run, int status,
                                                             const script::ReplyText& text);
}  // namespace kahu::tm
