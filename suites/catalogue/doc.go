// Package catalogue holds the requirements: what can be observed from outside an authorization server,
// one row a requirement, with its source, how strongly it binds in each profile, what shows it, and the
// fault that a check of it must catch. It is data, embedded, and cannot be changed by who reads it.
package catalogue
