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

// next takes the oldest item.
func (q *queue) next() (any, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.items) == 0 {
		return nil, false
	}
	item := q.items[0]
	q.items = q.items[1:]
	return item, true
}

// drain empties the queue into f.
func (q *queue) drain(f func(item any)) {
	for item, ok := q.next(); ok; item, ok = q.next() {
		f(item)
	}
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
