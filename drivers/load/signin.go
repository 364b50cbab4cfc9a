package load

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"flowproof/drivers/oauth"
	"flowproof/drivers/target"
)

const signInsAtOnce = 4

// signIn opens a session for each person of the scenarios with an authorization endpoint, and gives each client
// its consent. The sessions' cookies then go with the requests of the run.
func (at *site) signIn(ctx context.Context, make func(target.Target, *oauth.Driver) (oauth.UserAgent, error)) error {
	for _, j := range at.jobs {
		if j.hostile != "" || j.scenario.Flow != AuthorizationCode {
			continue
		}
		if make == nil {
			make = func(t target.Target, d *oauth.Driver) (oauth.UserAgent, error) { return oauth.NewForms(t, d), nil }
		}
		agent, err := make(at.target, at.driver)
		if err != nil {
			return fmt.Errorf("load: sign in: %w", err)
		}
		err = at.signInAll(ctx, agent, j)
		if err = errors.Join(err, agent.Close()); err != nil {
			return err
		}
	}
	return nil
}

// signInAll signs in the people of a job, a few at a time.
func (at *site) signInAll(ctx context.Context, agent oauth.UserAgent, j *job) error {
	people := map[string][]*issue{}
	var order []string
	for _, is := range j.issues {
		if people[is.user.Name] == nil {
			order = append(order, is.user.Name)
		}
		people[is.user.Name] = append(people[is.user.Name], is)
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	errs := make([]error, len(order))
	queue := make(chan int)
	var all sync.WaitGroup
	for range min(signInsAtOnce, len(order)) {
		all.Go(func() {
			for i := range queue {
				if errs[i] = at.signInOne(ctx, agent, people[order[i]]); errs[i] != nil {
					stop() // one that cannot sign in spoils the run
				}
			}
		})
	}
	for i := range order {
		queue <- i
	}
	close(queue)
	all.Wait()
	for _, err := range errs {
		if err != nil && !errors.Is(err, context.Canceled) {
			return err
		}
	}
	return errors.Join(errs...)
}

// signInOne plays an authorization request of each client in one session.
func (at *site) signInOne(ctx context.Context, agent oauth.UserAgent, issues []*issue) error {
	user := issues[0].user
	session, err := agent.Session(ctx)
	if err != nil {
		return fmt.Errorf("load: sign in %s: %w", user.Name, err)
	}
	defer session.Close()
	for _, is := range issues {
		uri := is.client.RedirectURI(target.AuthorizationCode)
		r := is.request.Changed(oauth.SetQuery("state", oauth.NewState()))
		if proves(is.client) {
			r = r.Changed(oauth.SetQuery("code_challenge", oauth.S256(oauth.NewVerifier())))
		}
		landing, err := session.Visit(ctx, oauth.Visit{URL: r.FullURL(), RedirectURIs: is.client.RedirectURIs, User: &user, Consent: oauth.Accept, NoPicture: true})
		if err != nil {
			return fmt.Errorf("load: sign in %s for client %s: %w; look at it with: flowproof check --only authorization-code", user.Name, is.client.Name, err)
		}
		if landing.Kind != oauth.Redirected || landing.Query.Get("code") == "" {
			why := "the server stayed on a page of its own"
			if code := landing.Query.Get("error"); code != "" {
				why = "the server answered " + at.driver.Redactor().Text(code)
			}
			return fmt.Errorf("load: sign in %s for client %s, to come back to %s: %w: %s; look at it with: flowproof check --only authorization-code", user.Name, is.client.Name, uri, ErrRefused, why)
		}
	}
	cookies, err := session.Cookies(ctx, at.target.Endpoints.Authorization)
	if err != nil {
		return fmt.Errorf("load: sign in %s: %w", user.Name, err)
	}
	var pairs []string
	for _, c := range cookies {
		pairs = append(pairs, c.Name+"="+c.Value)
	}
	for _, is := range issues {
		is.cookie = strings.Join(pairs, "; ")
		request := is.request
		if is.cookie != "" {
			request = request.Changed(oauth.Header("Cookie", gap(2)))
		}
		if is.authorize, err = encode(request); err != nil {
			return err
		}
	}
	return nil
}
