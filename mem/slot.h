// mem/slot.h -- one slot = one process.  Everything a process may leave half done when it is killed (its
// locks, its hazard pointer, its heap) is recorded under its slot, in the segment, where the supervisor
// and the successor of the dead process find it.
//
// LIVES  The number is process-global and inherited by fork(): call attach_slot() in the child before it
//        touches the segment.  The supervisor is slot 0.  A successor attaches to its predecessor's slot
//        after recover_slot() (mem/recover.h), and thereby adopts its heap.
// LOCKS  None.  One thread per process uses the segment; a second one would need a slot of its own.
#pragma once
namespace kahu::mem {

// Bits 0..55 of a lock word are the readers, bits 56..63 hold the writer's slot + 1.
inline constexpr int kMaxSlots = 56;

namespace detail {
inline constinit int own_slot = -1;
}

inline int current_slot() noexcept { return detail::own_slot; }

// -1 detaches.  REQUIREs -1 <= slot < kMaxSlots.  Works before and after create_segment().
void attach_slot(int slot) noexcept;

}  // namespace kahu::mem
