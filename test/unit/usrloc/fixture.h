// test/unit/usrloc/fixture.h -- a segment with an empty location table in it.
#pragma once
#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/modules/usrloc/api.h"
#include "core/modules/usrloc/module.h"
#include "test/unit/mem/segment_fixture.h"

namespace kahu::usrloc::test {

class LocationTest : public mem::test::SegmentTest {
  protected:
    void SetUp() override {
        log::set_level(log::Level::error);
        mem::attach_slot(0);
        std::string why;
        ASSERT_TRUE(open_table("location"));
        ASSERT_TRUE(mem::create_segment(64 << 20, kModule.hooks.parts(), why)) << why;
    }

    static Fields contact(std::string_view uri, uint32_t expires_in = 600) {
        Fields fields;
        fields[Text::uri] = uri;
        fields[Text::call_id] = "call@1";
        fields[Text::user_agent] = "phone/1.0";
        fields[Text::ruid] = "uloc-1-1-1";
        fields.expires = static_cast<uint32_t>(clock::unix_seconds()) + expires_in;
        fields.cseq = 1;
        return fields;
    }
    static bool save(std::string_view aor, std::string_view uri, uint32_t expires_in = 600) {
        const Fields fields = contact(uri, expires_in);
        const Aor::Change change{nullptr, &fields};
        return Aor(0, aor).apply({&change, 1});
    }
    static std::string listed(std::string_view aor) {
        std::string out;
        Aor record(0, aor);
        for (Contact* c = record.first(); c != nullptr; c = record.next(c))
            out.append(out.empty() ? "" : " ").append(c->text(Text::uri));
        return out;
    }
    static bool valid() {
        for (uint32_t i = 0; i < kShards; ++i)
            if (auto shard = shard_at(i).lock(); !shard->is_valid()) return false;
        return true;
    }
};

}  // namespace kahu::usrloc::test
