// core/modules/tm/best_response.h -- which of several final responses goes upstream (RFC 3261 16.7 step 6).
//
// WHY    Pure.  6xx first; else the lowest class; within a class what tells the caller how to do better comes first
//        (401, 407, 415, 420, 484), then the lower code, as in Kamailio; what is only our own timeout or the absence of
//        service comes last.
#pragma once
#include <cstdint>
#include <span>

namespace kahu::tm {

// The smaller the better.
constexpr int rank_of(int status) {
    const int in_class = [status] {
        switch (status) {
        case 401:
        case 407: return 0;
        case 415: return 1;
        case 420: return 2;
        case 484: return 3;
        case 487: return 198;  // the end of a cancelled branch says nothing about the others
        case 408:
        case 430:  // another flow may lead to the phone; who called cannot do anything about it
        case 503: return 199;
        default: return 10 + status % 100;
        }
    }();
    if (status >= 600) return in_class;
    return status / 100 * 1000 + in_class;
}

struct Candidate {
    uint16_t status = 0;  // 0: not a candidate
    bool local = false;   // made here: loses against a received one of the same rank
};
// Index of the best; -1 if there is none.  The first of equals wins.
constexpr int best_of(std::span<const Candidate> candidates) {
    int best = -1, best_rank = 0;
    for (size_t i = 0; i < candidates.size(); ++i) {
        if (candidates[i].status == 0) continue;
        const int rank = rank_of(candidates[i].status) * 2 + (candidates[i].local ? 1 : 0);
        if (best >= 0 && rank >= best_rank) continue;
        best = static_cast<int>(i);
        best_rank = rank;
    }
    return best;
}

}  // namespace kahu::tm
