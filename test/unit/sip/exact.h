// test/unit/sip/exact.h -- runs a parser over every prefix of a text, each in a heap block of exactly its size, so
// that AddressSanitizer sees any octet read past the end.
#pragma once
#include <memory>
#include <string_view>

namespace kahu::sip {

template <class Parse>
void on_every_prefix(std::string_view text, Parse parse) {
    for (size_t n = 0; n <= text.size(); ++n) {
        const std::unique_ptr<char[]> exact(new char[n]);
        text.copy(exact.get(), n);
        parse(std::string_view(exact.get(), n));
    }
}

}  // namespace kahu::sip
