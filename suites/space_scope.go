package suites

import (
	"slices"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"flowproof/drivers/oauth"
	"flowproof/drivers/target"
)

// spaceScopes says how Space writes scopes: until 2021 Entity:Permission,Permission; since then
// context:Permission.Code, where a context may hold colons itself.
func spaceScopes(s *session) {
	Describe("a Space deployment", flow(target.ClientCredentials), func() {
		const cc = target.ClientCredentials

		DescribeTable("understands", table, proves("SPACE-scope-grammar"),
			func(ctx SpecContext, scope func() (text string, certain bool)) {
				s.control(ctx, cc)
				text, certain := scope()
				x := s.send(ctx, s.driver.ClientCredentials(s.confidential(cc), text, oauth.Titled("ask for the scope "+text)))
				if !certain && !x.IssuedToken() && x.Status < 500 {
					s.seen.decide(x)
					s.inconclusive("the scope %q is refused, which may also mean that the client has no such right: %s", text, answered(x))
				}
				Expect(x).To(s.beTokenAnswer())
			},
			Entry("everything", func() (string, bool) { return "**", s.target.Scopes.Default == "**" }),
			Entry("one permission", func() (string, bool) { return s.pair()[0], true }),
			Entry("two permissions", func() (string, bool) { return strings.Join(s.pair(), " "), true }),
			Entry("a permission in a context", s.inContext),
			Entry("a wildcard or a list in an entity", s.inEntity),
		)

		DescribeTable("answers invalid_scope to", table, proves("SPACE-scope-grammar"),
			func(ctx SpecContext, spoil func(scope string) string) {
				pair := s.pair()
				c := s.confidential(cc)
				s.positive("client_credentials with one scope", func() oauth.Exchange {
					return s.send(ctx, s.driver.ClientCredentials(c, pair[0]))
				})
				bad := spoil(pair[0])
				x := s.send(ctx, s.driver.ClientCredentials(c, bad, oauth.Titled("ask for the malformed scope "+bad)))
				if t, err := x.Token(); err == nil && x.IssuedToken() && t.Has["scope"] && !within(bad, t.Scope) {
					s.seen.decide(x)
					s.seen.expected = "a refusal with the error invalid_scope"
					s.warn("the malformed scope %q is left out silently: scope %q came", bad, t.Scope)
					return
				}
				Expect(x).To(s.beRefused("invalid_scope").orWarn("invalid_request"))
			},
			Entry("a context without a permission", func(scope string) string { return scope[:strings.LastIndex(scope, ":")+1] }),
			Entry("a permission without a context", func(scope string) string { return scope[strings.LastIndex(scope, ":"):] }),
			Entry("a word that is no permission", func(string) string { return "flowproof-nonsense" }),
			Entry("a permission that does not exist", func(scope string) string { return scope + "FlowproofNonsense" }),
			Entry("a context that does not exist", func(scope string) string { return "flowproof" + scope }),
		)
	})
}

// inContext is a permission in another context than the organization; only one that the target file
// names is certain to be the client's.
func (s *session) inContext() (string, bool) {
	if s.target.Edition == "space-2021" {
		return s.pair()[0], true // an entity is the context
	}
	for _, one := range s.namedScopes() {
		if context, _, _ := strings.Cut(one, ":"); context != "global" && strings.Contains(one, ":") {
			return one, true
		}
	}
	pair := s.pair()
	return "project:key:FLOWPROOF:" + pair[1][strings.LastIndex(pair[1], ":")+1:], false
}

// inEntity is what only the older grammar has: all permissions of an entity, or a list of them.
func (s *session) inEntity() (string, bool) {
	if s.target.Edition != "space-2021" {
		s.notApplicable("lists and wildcards of an entity went with the grammar of 2021")
	}
	entity, permission, _ := strings.Cut(s.pair()[0], ":")
	if slices.ContainsFunc(s.namedScopes(), func(one string) bool { return strings.HasSuffix(one, ":*") }) {
		return entity + ":*", true
	}
	return entity + ":" + permission + "," + permission, false
}

// namedScopes are the single permissions that the target file says the client may have.
func (s *session) namedScopes() []string {
	all := s.target.Scopes
	return strings.Fields(strings.Join(append([]string{all.Narrow, all.Third}, all.Pair...), " "))
}
