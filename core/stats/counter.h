// core/stats/counter.h -- one counted thing: a row of a module's table.
#pragma once
#include <cstdint>
#include <string_view>

namespace kahu {

enum class CounterKind : uint8_t { counter, gauge };
struct Counter {
    std::string_view group, name;  // "tls", "handshakes_failed"
    CounterKind kind = CounterKind::counter;
    std::string_view help;
    uint16_t* id = nullptr;  // filled in at start: index of the cell in each slot's array
};

}  // namespace kahu
