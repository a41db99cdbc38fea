// gigi/core/lifeline.hpp: whether an object is still there, for those who may outlive it.
//
// Layer: core. Where a program ends without stopping first, its context destroys coroutines in any order: what a coroutine holds may
// go after what it belongs to.
#pragma once

#include <memory>

namespace gigi::inline v1 {

/// A member of the object that others ask for. Use it on one strand.
template <class T> class lifeline {
  public:
    /// Points to the object's pointer, which is null from the object's end on.
    using handle = std::shared_ptr<T *const>;

    explicit lifeline(T *object) : object_{std::make_shared<T *>(object)} {}
    lifeline(lifeline const &) = delete;
    lifeline &operator=(lifeline const &) = delete;
    ~lifeline() { end(); }

    handle get() const noexcept { return object_; }
    /// Ends it before the object does.
    void end() noexcept { *object_ = nullptr; }

  private:
    std::shared_ptr<T *> object_;
};

} // namespace gigi::inline v1
