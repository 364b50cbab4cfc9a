package sandbox

func grantFaults() []Fault { return nil }

func refreshFaults() []Fault { return nil }
