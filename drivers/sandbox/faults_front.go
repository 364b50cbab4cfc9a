package sandbox

func frontFaults() []Fault { return nil }
