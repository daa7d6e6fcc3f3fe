/* davy for C++17: the handles of davy.h with owners, and errors as exceptions. Header only. */
#ifndef DAVY_HPP
#define DAVY_HPP

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "davy.h"

namespace davy {

namespace detail {
inline std::string_view view(davy_bytes bytes) {
    return bytes.len == 0 ? std::string_view() : std::string_view(reinterpret_cast<const char *>(bytes.data), bytes.len);
}

inline davy_bytes bytes(std::string_view text) {
    return {reinterpret_cast<const std::uint8_t *>(text.data()), text.size()};
}
} // namespace detail

/// What davy refused: where, what, and what to do about it.
class Error : public std::runtime_error {
  public:
    explicit Error(davy_error *raw)
        : std::runtime_error(std::string(detail::view(davy_error_message(raw)))), kind(davy_error_kind_of(raw)),
          code(detail::view(davy_error_code(raw))), file(detail::view(davy_error_file(raw))),
          line(davy_error_line(raw)), column(davy_error_column(raw)), hint(detail::view(davy_error_hint(raw))) {
        davy_buffer list{};
        davy_error_json(raw, &list);
        diagnostics.assign(reinterpret_cast<const char *>(list.data), list.len);
        davy_buffer_free(&list);
        davy_error_free(raw);
    }

    davy_error_kind kind;
    std::string code;
    std::string file;
    std::uint32_t line;
    std::uint32_t column;
    std::string hint;
    /// Everything that is wrong with a bundle, as a JSON list; empty for other errors.
    std::string diagnostics;
};

namespace detail {
inline void check(davy_error *error) {
    if (error != nullptr) throw Error(error);
}

template <class Raw, void (*Free)(Raw *)> struct Freed {
    void operator()(Raw *raw) const noexcept { Free(raw); }
};

/// One owner of one handle.
template <class Raw, void (*Free)(Raw *)> class Handle {
  public:
    Raw *get() const noexcept { return raw_.get(); }

  protected:
    /// Takes what a function creates.
    template <class Make> static Raw *made(Make make) {
        Raw *raw = nullptr;
        check(make(&raw));
        return raw;
    }
    explicit Handle(Raw *raw) : raw_(raw) {}

  private:
    std::unique_ptr<Raw, Freed<Raw, Free>> raw_;
};

/// Takes the bytes that a function makes.
template <class Make> std::string text(Make make) {
    davy_buffer buffer{};
    check(make(&buffer));
    std::string copy(reinterpret_cast<const char *>(buffer.data), buffer.len);
    davy_buffer_free(&buffer);
    return copy;
}
} // namespace detail

/// For which traffic a plan is made, as documents spell it; what is empty is what the policy expects.
struct Traffic {
    std::string environment;
    std::string requests;
    std::string bad;
    std::string p50;
    std::string p90;
    std::string p99;
    /// Of the baseline, told apart; 0 where that is not known.
    std::uint32_t replicas = 0;
    /// How replicas are assumed to differ, such as `mixed`.
    std::string noise;
    /// What was observed of a healthy service (`Snapshot::get()`), or null: counts where it is not said here or in a metric's own
    /// `expect`, and before what the policy expects of the service.
    const davy_snapshot *snapshot = nullptr;
};

/// The documents of one service.
class Bundle : public detail::Handle<davy_bundle, davy_bundle_free> {
  public:
    using Files = std::vector<std::pair<std::string, std::string>>;

    /// From paths and contents.
    explicit Bundle(const Files &files) : Handle(made([&](davy_bundle **out) {
        const std::vector<davy_file> raw = borrow(files);
        return davy_bundle_new(raw.data(), raw.size(), out);
    })) {}

    std::string digest() const {
        return detail::text([&](davy_buffer *out) { return davy_bundle_digest(get(), out); });
    }

    /// What the policy can detect and when, as JSON.
    std::string plan(const Traffic &known = {}) const {
        davy_plan_options options{};
        options.size = sizeof options;
        options.environment = detail::bytes(known.environment);
        options.requests = detail::bytes(known.requests);
        options.bad = detail::bytes(known.bad);
        options.p50 = detail::bytes(known.p50);
        options.p90 = detail::bytes(known.p90);
        options.p99 = detail::bytes(known.p99);
        options.replicas = known.replicas;
        options.noise = detail::bytes(known.noise);
        options.snapshot = known.snapshot;
        return detail::text([&](davy_buffer *out) { return davy_plan(get(), &options, out); });
    }

    /// What is wrong with files, as a JSON list.
    static std::string lint(const Files &files) {
        const std::vector<davy_file> raw = borrow(files);
        return detail::text([&](davy_buffer *out) { return davy_lint(raw.data(), raw.size(), out); });
    }

  private:
    static std::vector<davy_file> borrow(const Files &files) {
        std::vector<davy_file> raw;
        for (const auto &[path, content] : files) raw.push_back({detail::bytes(path), detail::bytes(content)});
        return raw;
    }
};

/// What must survive between two decisions.
class State : public detail::Handle<davy_state, davy_state_free> {
  public:
    State() : Handle(made([](davy_state **out) { return davy_state_new(out); })) {}
    explicit State(davy_state *raw) : Handle(raw) {}

    static State from_json(std::string_view json) {
        return State(made([&](davy_state **out) { return davy_state_from_json(detail::bytes(json), out); }));
    }
    std::string to_json() const {
        return detail::text([&](davy_buffer *out) { return davy_state_to_json(get(), out); });
    }
    State next_release() const {
        return State(made([&](davy_state **out) { return davy_state_next_release(get(), out); }));
    }
};

/// What a host observed.
class Snapshot : public detail::Handle<davy_snapshot, davy_snapshot_free> {
  public:
    explicit Snapshot(std::string_view json)
        : Handle(made([&](davy_snapshot **out) { return davy_snapshot_from_json(detail::bytes(json), out); })) {}

    void add_series(std::uint64_t every_ms, const std::vector<davy_series> &series) {
        detail::check(davy_snapshot_add_series(get(), every_ms, series.data(), series.size()));
    }
    std::string to_json() const {
        return detail::text([&](davy_buffer *out) { return davy_snapshot_to_json(get(), out); });
    }
};

/// How a flow is run.
struct ProbeOptions {
    /// Whether a recording is kept.
    bool record = false;
    /// Whose answers are asked for, `canary` or `baseline`; empty for anyone's.
    std::string cohort;
    /// Where the run is from.
    std::string location;
};

/// One run of a flow. It does no I/O: poll it, do what it says, and hand in what came of it.
class ProbeRun : public detail::Handle<davy_probe_run, davy_probe_run_free> {
  public:
    /// Begins with the seed of its random numbers; two runs must not share one.
    ProbeRun(const Bundle &bundle, std::string_view flow, std::string_view target, std::uint64_t seed,
             std::int64_t now_ms, const ProbeOptions &how = {})
        : Handle(made([&](davy_probe_run **out) {
              davy_probe_options options{};
              options.size = sizeof options;
              options.record = how.record ? 1 : 0;
              options.cohort = detail::bytes(how.cohort);
              options.location = detail::bytes(how.location);
              return davy_probe_run_new(bundle.get(), detail::bytes(flow), detail::bytes(target), seed, &options,
                                        now_ms, out);
          })) {}

    /// What to do next, as JSON: `{"effect":[id,{…}]}`, `{"wait":{"until":…,"inflight":…}}` or `{"done":{…}}`.
    std::string poll(std::int64_t now_ms) {
        return detail::text([&](davy_buffer *out) { return davy_probe_run_poll(get(), now_ms, out); });
    }
    /// Takes what came of an effect, as JSON.
    void handle(std::int64_t now_ms, std::uint64_t effect, std::string_view event) {
        detail::check(davy_probe_run_handle(get(), now_ms, effect, detail::bytes(event)));
    }
    /// Ends the journey: `stopping`, `overlap` or `asked`. Go on polling, for the teardown still runs.
    void cancel(std::int64_t now_ms, std::string_view reason = "asked") {
        detail::check(davy_probe_run_cancel(get(), now_ms, detail::bytes(reason)));
    }
    /// The recording of a finished run that keeps one, as one line of JSON; empty otherwise.
    std::string recording() const {
        return detail::text([&](davy_buffer *out) { return davy_probe_run_recording(get(), out); });
    }
};

#if defined(DAVY_PLUGINS)
/// How plugins are loaded.
struct PluginOptions {
    /// Whether they have the fuel, time, memory and size that those of Python and JavaScript need.
    bool interpreters = false;
    /// A folder for compiled code, closed to other users; empty to keep none.
    std::string cache;
};

/// The WebAssembly plugins of a bundle; may be shared by threads.
class Plugins : public detail::Handle<davy_plugins, davy_plugins_free> {
  public:
    explicit Plugins(const Bundle &bundle, const PluginOptions &how = {}) : Handle(made([&](davy_plugins **out) {
        davy_plugins_options options{};
        options.size = sizeof options;
        options.interpreters = how.interpreters ? 1 : 0;
        options.cache = detail::bytes(how.cache);
        return davy_plugins_new(bundle.get(), &options, out);
    })) {}

    /// What kept compiled code from being kept or used, as a JSON list of texts.
    std::string warnings() const {
        return detail::text([&](davy_buffer *out) { return davy_plugins_warnings(get(), out); });
    }
    /// Takes a turn of a custom step: from the object behind `turn` of an effect to the event for `ProbeRun::handle`.
    std::string turn(std::string_view turn) const {
        return detail::text([&](davy_buffer *out) { return davy_turn(get(), detail::bytes(turn), out); });
    }
};
#endif

class Engine;

/// A sealed decision.
class Record : public detail::Handle<davy_record, davy_record_free> {
  public:
    explicit Record(davy_record *raw) : Handle(raw) {}

    static Record from_bytes(std::string_view bytes) {
        return Record(made([&](davy_record **out) { return davy_record_from_bytes(detail::bytes(bytes), out); }));
    }
    /// Lives as long as the record.
    std::string_view bytes() const {
        davy_bytes bytes{};
        detail::check(davy_record_bytes(get(), &bytes));
        return detail::view(bytes);
    }
    std::string digest() const {
        return detail::text([&](davy_buffer *out) { return davy_record_digest(get(), out); });
    }
    void replay(const Engine &engine, const State &prior, const Snapshot &snapshot) const;
};

/// One look at a release.
class Step : public detail::Handle<davy_step, davy_step_free> {
  public:
    explicit Step(davy_step *raw) : Handle(raw) {}

    davy_verdict verdict() const {
        davy_verdict verdict{};
        detail::check(davy_step_verdict(get(), &verdict));
        return verdict;
    }
    davy_hold hold() const {
        davy_hold hold{};
        detail::check(davy_step_hold(get(), &hold));
        return hold;
    }
    std::string json() const {
        return detail::text([&](davy_buffer *out) { return davy_step_decision_json(get(), out); });
    }
    std::string text() const {
        return detail::text([&](davy_buffer *out) { return davy_step_decision_text(get(), out); });
    }
    State state() const {
        return State(made<davy_state>([&](davy_state **out) { return davy_step_state(get(), out); }));
    }
    Record seal() const {
        return Record(made<davy_record>([&](davy_record **out) { return davy_step_seal(get(), out); }));
    }

  private:
    template <class Raw, class Make> static Raw *made(Make make) {
        Raw *raw = nullptr;
        detail::check(make(&raw));
        return raw;
    }
};

/// What a bundle says, compiled once; may be shared by threads.
class Engine : public detail::Handle<davy_engine, davy_engine_free> {
  public:
    explicit Engine(const Bundle &bundle)
        : Handle(made([&](davy_engine **out) { return davy_engine_new(bundle.get(), nullptr, out); })) {}

    Step decide(const State &state, const Snapshot &snapshot) const {
        davy_step *raw = nullptr;
        detail::check(davy_decide(get(), state.get(), snapshot.get(), &raw));
        return Step(raw);
    }
#if defined(DAVY_PLUGINS)
    /// Runs plugins over the snapshot and leaves in it what they measured: before `decide`.
    void measure(const Plugins &plugins, Snapshot &snapshot) const {
        detail::check(davy_measure(get(), plugins.get(), snapshot.get()));
    }
#endif
    std::string requirements(const State &state, const Snapshot &snapshot) const {
        return detail::text(
            [&](davy_buffer *out) { return davy_requirements(get(), state.get(), snapshot.get(), out); });
    }
    /// What change windows do to what the snapshot asks, as JSON.
    std::string explain_windows(const Snapshot &snapshot) const {
        return detail::text([&](davy_buffer *out) { return davy_calendar_explain(get(), snapshot.get(), out); });
    }
    /// Every turn up to an instant; up to 0, the next opening and when it closes; as JSON.
    std::string next_windows(const Snapshot &snapshot, std::int64_t until_ms = 0) const {
        return detail::text([&](davy_buffer *out) { return davy_calendar_next(get(), snapshot.get(), until_ms, out); });
    }
    /// When windows are open up to an instant, as JSON.
    std::string list_windows(const Snapshot &snapshot, std::int64_t until_ms) const {
        return detail::text([&](davy_buffer *out) { return davy_calendar_list(get(), snapshot.get(), until_ms, out); });
    }
};

inline void Record::replay(const Engine &engine, const State &prior, const Snapshot &snapshot) const {
    detail::check(davy_record_replay(get(), engine.get(), prior.get(), snapshot.get()));
}

} // namespace davy

#endif
