package sandbox

func resourceFaults() []Fault { return nil }

func spaceFaults() []Fault { return nil }
