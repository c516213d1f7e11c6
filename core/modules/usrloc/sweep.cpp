#include "core/modules/usrloc/sweep.h"

#include <algorithm>
#include <vector>

#include "core/base/clock.h"
#include "core/modules/usrloc/api.h"
#include "core/modules/usrloc/keepalive.h"
#include "core/modules/usrloc/settings.h"
#include "core/modules/usrloc/settle.h"
#include "core/modules/usrloc/store.h"
#include "core/net/connection.h"

namespace kahu::usrloc {
namespace {

constexpr uint32_t kBucketsAtOnce = 64;
constexpr size_t kRowsAtOnce = 500;  // one transaction: some milliseconds

ExpiredHandler g_expired = nullptr;

class Sweep {
  public:
    explicit Sweep(bool pings)
        : now_(clock::unix_seconds()), mode_(settings.mode()), lost_(settings.handle_lost_tcp != 0), pings_(pings) {}

    // `from` and `to` number the buckets shard by shard.  Where it came to: `to`, or less when the time was up.
    uint32_t buckets(uint32_t from, uint32_t to, clock::Millis until_when = INT64_MAX) {
        const uint32_t per_shard = bucket_count() / kShards;
        uint32_t at = from;
        while (at < to && clock::now_ms() < until_when) {
            const uint32_t shard = at / per_shard;
            const uint32_t until = std::min({to, (shard + 1) * per_shard, at + kBucketsAtOnce});
            {
                auto locked = shard_at(shard).lock();
                for (; at < until; ++at) bucket(*locked, at % per_shard * kShards + shard);
            }
            close_connections();
            tell_of_expired();
            send_pings();
            if (rows_.size() >= kRowsAtOnce) write();
        }
        return at;
    }
    Status finish() {
        write();
        return std::move(failure_);
    }

  private:
    bool gone(const Contact& c) const {
        if (!c.live(now_ - settings.rm_expired_delay) || keepalive::is_silent(c, now_)) return true;
        return lost_ && c.connection != 0 && net::find_connection(c.connection_id()) == nullptr;
    }

    void bucket(Shard& shard, uint32_t number) {
        for (Contact** link = &bucket_at(number); *link != nullptr;) {
            Contact& c = **link;
            if (c.state == State::removed) {
                rows_.push_back(store::Row::of(c, true));
            } else if (gone(c)) {
                drop(shard, link);
                continue;
            } else {
                if (mode_ != DbMode::none && c.state != State::stored) rows_.push_back(store::Row::of(c, false));
                if (pings_ && keepalive::is_due(c)) due_.push_back(keepalive::Ping::of(c));
            }
            link = &c.next;
        }
    }

    // The neighbours in the list tell whether it was its user's last contact.
    void drop(Shard& shard, Contact** link) {
        Contact& c = **link;
        const bool has_row = mode_ != DbMode::none && (mode_ != DbMode::write_back || c.state != State::fresh);
        if (has_row) rows_.push_back(store::Row::of(c, true));
        if (g_expired != nullptr) expired_.push_back(store::Row::of(c, true));
        if (settings.close_expired_tcp != 0 && c.connection != 0) closing_.push_back(c.connection_id());
        const uint8_t table = c.table;
        const bool last = !others_in_run(c);
        Builder(shard).replace(link, c.next);
        --shard.counts[table].contacts;
        shard.counts[table].users -= last;
        ++shard.expired[table];
    }
    static bool others_in_run(const Contact& c) {
        for (const Contact* o = bucket_at(bucket_of(c.hash)); o != nullptr; o = o->next)
            if (o != &c && o->state != State::removed && o->is_of(c.hash, c.table, c.text(Text::aor))) return true;
        return false;
    }

    void close_connections() {
        for (const net::ConnectionId id : closing_) net::request_close(id);
        closing_.clear();
    }

    void send_pings() {
        for (const keepalive::Ping& ping : due_) keepalive::send(ping);
        due_.clear();
    }

    void tell_of_expired() {
        for (const store::Row& row : expired_) g_expired(row.table, row.hash, row.fields());
        expired_.clear();
    }

    void write() {
        if (rows_.empty()) return;
        if (mode_ != DbMode::none)
            if (Status written = write_and_settle(rows_); !written) failure_ = std::move(written).error();
        rows_.clear();
    }

    int64_t now_;
    DbMode mode_;
    bool lost_, pings_;
    std::vector<store::Row> rows_, expired_;
    std::vector<net::ConnectionId> closing_;
    std::vector<keepalive::Ping> due_;
    Status failure_;
};

uint32_t g_next = 0;

}  // namespace

void set_expired_handler(ExpiredHandler handler) { g_expired = handler; }

void sweep_slice() {
    if (!table_exists()) return;
    const uint32_t all = bucket_count();
    const auto ticks = static_cast<uint32_t>(std::max<int64_t>(settings.timer_interval, 1) * 1000 / kSweepTickMs);
    // What a tick does not get done is no more work for the next one.
    const uint32_t slice = std::max<uint32_t>((all + ticks - 1) / ticks, 1);
    Sweep sweep(true);
    g_next = sweep.buckets(g_next, std::min(all, g_next + slice), clock::now_ms() + kMostSweepMs);
    (void)sweep.finish();
    if (g_next == all) g_next = 0;
}

Status sweep_all() {
    if (!table_exists()) return {};
    Sweep sweep(false);
    (void)sweep.buckets(0, bucket_count());
    return sweep.finish();
}

}  // namespace kahu::usrloc
