package reports

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"flowproof/suites/catalogue"
)

// CatalogueVersion names the requirements that this flowproof knows: how many there are, and a digest of them.
// Records with the same one were judged by the same requirements.
func CatalogueVersion() string {
	all := catalogue.All()
	text, err := json.Marshal(all)
	if err != nil {
		return fmt.Sprintf("%d requirements", len(all))
	}
	sum := sha256.Sum256(text)
	return fmt.Sprintf("%d requirements, %s", len(all), hex.EncodeToString(sum[:6]))
}
