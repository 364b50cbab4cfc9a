package browser

import "sync"

// A queue holds the events of a tab for its visit, in order. While there is no visit it holds none.
type queue struct {
	mu    sync.Mutex
	open  bool
	items []any
	wake  chan struct{}
}

func newQueue() *queue { return &queue{wake: make(chan struct{}, 1)} }

func (q *queue) push(item any) {
	q.mu.Lock()
	if q.open {
		q.items = append(q.items, item)
	}
	q.mu.Unlock()
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// take empties the queue.
func (q *queue) take() []any {
	q.mu.Lock()
	defer q.mu.Unlock()
	items := q.items
	q.items = nil
	return items
}

// peek shows the queue to f as it stands.
func (q *queue) peek(f func(item any)) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, item := range q.items {
		f(item)
	}
}

// listen opens or closes the queue, and forgets what was in it.
func (q *queue) listen(open bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.open, q.items = open, nil
}
