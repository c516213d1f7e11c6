// mem/list_change.h -- one change of a list of heap blocks: done or not done, whenever its process is killed.
//
// WHY    Tables of items hang their blocks into singly linked lists.  An item appears, is replaced and goes by one
//        store; this notes what is being done, so that the next owner of the lock frees what was built and not hung in,
//        or taken out and not freed.
// LIVES  In the structure that the lock guards.  `Item` is a block of the heap that begins with nothing in particular
//        and has `Item* next`.
// LOCKS  REQUIREs that structure's lock.
// DEATH  settle_after_death() from T::repair().  A block that was allocated and not handed to apply() is lost: one per
//        death.
#pragma once
#include "mem/heap.h"

namespace kahu::mem {

template <class Item>
class ListChange {
  public:
    // Puts `fresh` where `old` hangs, or takes `old` out (fresh is nullptr), or hangs `fresh` in before what follows
    // (old is nullptr).  REQUIRES: *link is `old`, or old is nullptr.
    void apply(Item** link, Item* fresh, Item* old, Tag tag) {
        fresh_ = fresh;
        old_ = old;
        publish(link_, link);
        Item* const rest = old == nullptr ? *link : old->next;
        if (fresh != nullptr) fresh->next = rest;
        publish(*link, fresh != nullptr ? fresh : rest);
        settle(old, tag);
    }
    void settle_after_death(Tag tag) {
        if (link_ == nullptr) return;
        const bool published = fresh_ != nullptr ? *link_ == fresh_ : *link_ != old_;
        settle(published ? old_ : fresh_, tag);
    }

  private:
    template <class P>
    static void publish(P*& where, P* what) {
        __atomic_store_n(&where, what, __ATOMIC_RELEASE);  // in program order: that is what the next owner relies on
    }
    void settle(Item* garbage, Tag tag) {
        publish<Item*>(link_, nullptr);
        deallocate(garbage, tag);
    }
    // `*link_` is being changed from `old_` to what follows.  Set last, cleared first.
    Item** link_ = nullptr;
    Item* fresh_ = nullptr;
    Item* old_ = nullptr;
};

}  // namespace kahu::mem
