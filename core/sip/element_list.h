// core/sip/element_list.h -- the elements of a header value that is a comma list, one after the other.
//
//     for (ViaList list(value); list.next(via);) ...   then list.bad()
//
// LIVES  Views into the value.
#pragma once
#include <string_view>

#include "core/sip/bad.h"

namespace kahu::sip {

// kParse reads the element at the start of a text; `used` is then the text's size, or the offset behind the comma that
// ended the element.
template <class Element, bool (*kParse)(std::string_view text, Element& out, size_t& used, Bad& bad)>
class ElementList {
  public:
    explicit ElementList(std::string_view value) : text_(value) {}
    bool next(Element& out) {
        if (failed_ || at_ >= text_.size()) return false;
        size_t used = 0;
        Bad bad;
        if (!kParse(text_.substr(at_), out, used, bad)) {
            bad_ = {bad.rule, at_ + bad.at};
            failed_ = true;
            return false;
        }
        at_ += used;
        return true;
    }
    const Bad* bad() const { return failed_ ? &bad_ : nullptr; }

  private:
    std::string_view text_;
    size_t at_ = 0;
    bool failed_ = false;
    Bad bad_;
};

}  // namespace kahu::sip
