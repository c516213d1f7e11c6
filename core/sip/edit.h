// core/sip/edit.h -- changes to a message, collected while the script runs and applied once, while copying.
//
// WHY    The message itself is read-only: views into it stay valid, and a second branch may get other changes.
// LIVES  One object per process, reused; inserted text is copied into one string it keeps.
// ORDER  Pieces inserted at one offset come out in the order they were added.  Removals may overlap.  What lies within
//        a larger removal goes with it, whichever came first: a value that was changed goes with its header.  Of two
//        replacements of the same octets the last counts.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/sip/message.h"

namespace kahu::sip {

class EditList {
  public:
    void clear();
    bool empty() const { return edits_.empty(); }
    size_t size() const { return edits_.size(); }

    // Offsets are into message.bytes().
    void insert(size_t offset, std::string_view text) { replace(offset, 0, text); }
    void remove(size_t offset, size_t bytes) { replace(offset, bytes, {}); }
    void replace(size_t offset, size_t bytes, std::string_view text);

    // The same, said with views into the message.  REQUIRES: the view points into message.bytes().
    void remove_header(const Message& message, const HeaderField& field);
    void insert_before(const Message& message, const HeaderField& field, std::string_view lines);
    void insert_after(const Message& message, const HeaderField& field, std::string_view lines);
    void append_header(const Message& message, std::string_view lines);   // behind the last header
    void prepend_header(const Message& message, std::string_view lines);  // behind the start line
    void replace_part(const Message& message, std::string_view part, std::string_view text);
    // Also rewrites Content-Length, or adds one.
    void replace_body(const Message& message, std::string_view body);

    // Drops the edits made so far that lie within those octets, so that a second replacement does not add to the first.
    // What was inserted just before or behind them stays.
    void forget(size_t offset, size_t bytes);
    void forget_from(size_t offset);  // all edits there and behind
    // Drops insertions of one line that begins so, letters in either case: "content-type:".
    void forget_line(std::string_view beginning);

    // Appends the edited message to `out`.  REQUIRES: every edit lies within `bytes`.
    void apply(std::string_view bytes, std::string& out) const;

    // Whether some inserted text has this in it, letters in either case: "max-forwards:".
    bool inserts(std::string_view text) const;
    // Whether the octets from `offset` on are changed.
    bool changes_from(size_t offset) const { return !edits_.empty() && edits_.back().offset >= offset; }

    // All edits as bytes without pointers, and back; load() replaces what was there.  REQUIRES: from save().
    void save(std::string& out) const;
    void load(std::string_view saved);

  private:
    struct Edit {
        uint32_t offset, remove, text_at, text_bytes;
    };
    bool is_overruled(size_t i, size_t removed_until) const;
    std::vector<Edit> edits_;  // in order of offset, then of arrival
    std::string text_;
};

}  // namespace kahu::sip
