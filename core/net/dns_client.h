// core/net/dns_client.h -- asks name servers, with c-ares in this process's event loop.
//
// LIVES  One channel per process, made at the first question.  Equal questions under way are asked once.
// FAILS  The callback always comes, once: with an answer of Kind::failed when no server answered in time
//        (dns_retr_time, dns_retr_no) or c-ares could not be started.
#pragma once
#include <functional>

#include "core/net/dns_records.h"

namespace kahu::net {

using OnAnswer = std::function<void(const DnsKey&, const DnsAnswer&)>;
// /etc/hosts goes before name servers.  The answer is in the cache when the callback runs; it may run before this
// returns.  REQUIRES: process_loop() != nullptr.
void ask_dns(const DnsKey& key, OnAnswer then);
// For an administrator's question in a process that serves nobody else meanwhile: waits for the answer, kLongestWait
// at most (Kind::failed).
constexpr clock::Millis kLongestWait = 5000;
DnsAnswer ask_dns_and_wait(const DnsKey& key);
// Forgets all questions, without calling back: the process ends, or a test does.
void stop_dns();

}  // namespace kahu::net
