package catalogue

import "slices"

// A Profile is a set of requirements with levels.
type Profile string

// The profiles.
const (
	Space   Profile = "space"
	RFC6749 Profile = "rfc6749"
	BCP9700 Profile = "bcp-9700"
	OAuth21 Profile = "oauth-2.1"
)

// DefaultEdition is the edition of Space that is meant where none is named.
const DefaultEdition = "space-2023"

// A ProfileInfo says what a profile stands for.
type ProfileInfo struct {
	Name    Profile
	Meaning string
}

// Profiles lists the profiles in the catalogue's order.
func Profiles() []ProfileInfo { return slices.Clone(embedded().profiles) }

// Editions lists the editions of Space, oldest first.
func Editions() []string { return []string{"space-2021", "space-2023", "space-2024"} }
