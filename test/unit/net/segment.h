// test/unit/net/segment.h -- a segment with the parts of core/net, made and dropped around each test.
#pragma once
#include <gtest/gtest.h>

#include "core/net/connection_table.h"
#include "core/net/mailbox.h"
#include "core/net/settings.h"
#include "core/proc/process_table.h"
#include "mem/segment.h"
#include "mem/slot.h"

namespace kahu::net {

class WithSegment : public testing::Test {
  protected:
    explicit WithSegment(int64_t most_connections) : most_connections_(most_connections) {}
    void SetUp() override {
        settings.tcp_max_connections.set(most_connections_);
        mem::attach_slot(0);
        const mem::Part parts[] = {
            {"processes", proc::process_table_bytes(), proc::construct_process_table},
            {"mailboxes", mailboxes_bytes(), construct_mailboxes},
            {"connections", connection_table_bytes(), construct_connection_table},
        };
        std::string why;
        ASSERT_TRUE(mem::create_segment(32 << 20, parts, why)) << why;
    }
    void TearDown() override {
        mem::destroy_segment();
        mem::attach_slot(-1);
    }

  private:
    int64_t most_connections_;
};

}  // namespace kahu::net
