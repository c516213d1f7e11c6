// core/script/transaction_layer.h -- what the message entry and module sl ask of the module that keeps transactions.
//
// WHY    Replies belong to transactions first and are forwarded statelessly only if nobody claims them; send_reply()
//        answers through the transaction if there is one.  core/script knows no module.
// LIVES  Set by module tm at start, before the first fork; entries are nullptr without it.
#pragma once
#include "core/script/reply.h"
#include "core/script/run.h"

namespace kahu::script {

struct TransactionLayer {
    // A reply after reply_route let it pass.  True: it belonged to a transaction, or must not be forwarded.
    bool (*take_reply)(Run&) = nullptr;
    // request_route ended; the run is still whole.
    void (*request_done)(Run&) = nullptr;
    enum class Answered : uint8_t { no_transaction, sent, failed };
    Answered (*reply)(Run&, int status, const ReplyText&) = nullptr;
    // The To-tag of what the transaction answers itself; null: there is none.
    Value (*local_tag)(Run&) = nullptr;
};

void set_transaction_layer(const TransactionLayer& layer);
const TransactionLayer& transaction_layer();

// For a module that sends requests without transactions: asked of each reply that reply_route let pass, before the
// transactions are.  True: it was an answer to one of them.  At start, before the first fork; one module can.
using ReplyTaker = bool (*)(Run&);
void set_reply_taker(ReplyTaker taker);

}  // namespace kahu::script
