#include "core/script/xavp.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/text.h"
#include "core/script/arena.h"

namespace kahu::script {

std::optional<XavpPath> XavpPath::parse(std::string_view text) {
    XavpPath path;
    while (true) {
        if (path.count == kMaxDepth) return std::nullopt;
        const size_t arrow = text.find("=>");
        std::string_view name = text::trim(text.substr(0, arrow));
        XavpStep& step = path.steps[path.count++];
        if (const size_t open = name.find('['); open != name.npos) {
            if (name.back() != ']') return std::nullopt;
            const std::string_view index = text::trim(name.substr(open + 1, name.size() - open - 2));
            step.all = index == "*";
            if (!step.all) {
                step.index = text::to_int(index);
                if (!step.index) return std::nullopt;
            }
            name = text::trim(name.substr(0, open));
        }
        if (name.empty()) return std::nullopt;
        step.name = name;
        if (arrow == text.npos) return path;
        text.remove_prefix(arrow + 2);
    }
}

bool Xavps::is_child(const Entry& entry, List list, uint32_t parent, std::string_view name) const {
    if (entry.list != list || entry.parent != parent) return false;
    return list == List::any_case ? text::iequals(entry.name, name) : entry.name == name;
}

// Index 0 is the newest; negative counts from the oldest.
Xavps::Entry* Xavps::nth(List list, uint32_t parent, const XavpStep& step) {
    const int64_t wanted = step.index.value_or(0);
    int64_t left = wanted < 0 ? -wanted - 1 : wanted;
    for (size_t i = 0; i < entries_.size(); ++i) {
        Entry& entry = entries_[wanted < 0 ? i : entries_.size() - 1 - i];
        if (is_child(entry, list, parent, step.name) && left-- == 0) return &entry;
    }
    return nullptr;
}

const Xavps::Entry* Xavps::find(List list, const XavpPath& path) const {
    const Entry* found = nullptr;
    uint32_t parent = 0;
    for (size_t i = 0; i < path.count; ++i) {
        found = const_cast<Xavps*>(this)->nth(list, parent, path.steps[i]);
        if (found == nullptr) return nullptr;
        parent = found->id;
    }
    return found;
}

Xavps::Entry* Xavps::add(List list, uint32_t parent, std::string_view name, Arena& arena) {
    if (entries_.size() >= kMost) return nullptr;
    entries_.push_back({list, false, next_id_++, parent, arena.copy(name), Value::none()});
    return &entries_.back();
}

void Xavps::restore(const Entry& entry) {
    entries_.push_back(entry);
    next_id_ = std::max(next_id_, entry.id + 1);
}

void Xavps::remove_below(uint32_t id) {
    const auto child = [&] {
        return std::find_if(entries_.begin(), entries_.end(), [&](const Entry& entry) { return entry.parent == id; });
    };
    for (auto found = child(); found != entries_.end(); found = child()) remove(found->id);
}

// As deep as a path is long.
void Xavps::remove(uint32_t id) {
    remove_below(id);
    std::erase_if(entries_, [&](const Entry& entry) { return entry.id == id; });
}

// Makes the lists on the way that are not there yet.
Result<uint32_t> Xavps::parent_of(List list, const XavpPath& path, bool for_a_value, Arena& arena) {
    uint32_t parent = 0;
    for (size_t i = 0; i + 1 < path.count; ++i) {
        const XavpStep& step = path.steps[i];
        // $xavp(a=>b) = v puts a new list on top, as in Kamailio; $xavp(a[0]=>b) = v adds to the one that is there.
        const bool another = for_a_value && list != List::unique && !step.index && !step.all;
        Entry* found = another ? nullptr : nth(list, parent, step);
        if (found == nullptr) {
            if (step.index.value_or(0) != 0)
                return Error{Errc::not_found, fmt::format("there is no {}[{}]", step.name, *step.index), ""};
            found = add(list, parent, step.name, arena);
            if (found == nullptr) return Error{Errc::no_memory, fmt::format("more than {} values", kMost), ""};
            found->is_list = true;
        }
        if (!found->is_list && list == List::unique && for_a_value) found->is_list = true, found->value = Value::none();
        if (!found->is_list) return Error{Errc::invalid, fmt::format("{} is a value, not a list", step.name), ""};
        parent = found->id;
    }
    return parent;
}

Status Xavps::set(List list, const XavpPath& path, const Value& value, Arena& arena) {
    const XavpStep& last = path.steps[path.count - 1];
    Value kept = value;
    if (!kept.text.empty()) kept.text = arena.copy(kept.text);
    if (kept.is_null() && path.count > 1) {  // nothing is made to remove something from it
        XavpPath above = path;
        --above.count;
        if (find(list, above) == nullptr) return {};
    }
    const Result<uint32_t> parent = parent_of(list, path, !kept.is_null(), arena);
    if (!parent) return parent.error();
    if (last.all)
        while (const Entry* old = nth(list, *parent, {last.name, false, std::nullopt})) remove(old->id);
    Entry* found = last.all ? nullptr : nth(list, *parent, last);
    if (kept.is_null()) {
        if (found != nullptr) remove(found->id);
        return {};
    }
    const bool replaces = last.index.has_value() || list == List::unique;
    if (replaces && found != nullptr) {
        remove_below(found->id);
        found = nth(list, *parent, last);
        found->is_list = false;
    } else if (last.index.value_or(0) != 0) {
        return Error{Errc::not_found, fmt::format("there is no {}[{}]", last.name, *last.index), ""};
    } else {
        found = add(list, *parent, last.name, arena);
        if (found == nullptr) return Error{Errc::no_memory, fmt::format("more than {} values", kMost), ""};
    }
    found->value = kept;
    return {};
}

}  // namespace kahu::script
