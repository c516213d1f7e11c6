// rpc/stream_session.h -- one client on a unix or TCP stream socket, for as many requests as it likes.
//
// WHY    A client that stops reading must cost nobody else anything: answers wait in a buffer that the loop drains.
// LIVES  In the rpc process, owned by StreamServer.
// FAILS  A client that breaks the format gets a fault and is closed; one that reads nothing for write_timeout, asks
//        nothing for idle_timeout, or leaves a request half sent for kHalfRequestTimeout is closed.  Nothing is logged
//        but clients dropped for not reading.
#pragma once
#include <memory>
#include <string>

#include "core/base/clock.h"
#include "core/base/fd.h"
#include "rpc/address.h"
#include "rpc/event_ptr.h"

namespace kahu::rpc {

class StreamServer;

class StreamSession {
  public:
    StreamSession(StreamServer& server, event_base* base, UniqueFd fd, const Address& listening);
    StreamSession(const StreamSession&) = delete;
    StreamSession& operator=(const StreamSession&) = delete;

    const Address& listening() const { return listening_; }
    const std::string& peer_name() const { return peer_name_; }  // as ctl.who shows it
    const std::string& peer_port() const { return peer_port_; }
    clock::Millis last_request() const { return last_request_; }

  private:
    void on_readable(short what);
    void on_writable(short what);
    bool receive();         // false: closed, *this is gone
    void answer_waiting();  // as many requests as may be answered now
    void take_answer(std::string packet);
    bool flush();  // false: closed, *this is gone
    void rearm();
    bool over_high_water() const;
    void name_peer();

    StreamServer& server_;
    const Address& listening_;
    UniqueFd fd_;
    std::string peer_name_, peer_port_, client_;
    std::string in_, out_;
    size_t sent_ = 0;      // of out_
    bool ending_ = false;  // close as soon as out_ is sent
    bool more_waiting_ = false;
    bool answering_ = false;  // a command takes its time; requests behind it wait
    bool in_turn_ = false;    // answer_waiting() runs
    std::shared_ptr<StreamSession*> self_ =
        std::make_shared<StreamSession*>(this);  // gone with it: late answers are dropped
    clock::Millis last_request_;
    EventPtr readable_, writable_;
};

}  // namespace kahu::rpc
