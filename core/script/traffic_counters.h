// core/script/traffic_counters.h -- core:rcv_requests and its kin: what was received, by method and status, and what
// became of it, under the names that Kamailio (its module kex) gives them.
#pragma once
#include <span>

#include "core/sip/message.h"
#include "core/sip/validate.h"
#include "core/stats/counter.h"

namespace kahu::script {

std::span<const Counter> traffic_counters();

// Once for each message whose start line could be read, before the script.
void count_received(const sip::Message& message, const sip::Validation& verdict);

void count_forwarded(bool request, bool sent);  // without a transaction: those of tm are tmx's
void count_dropped(bool request);               // the script said so

}  // namespace kahu::script
