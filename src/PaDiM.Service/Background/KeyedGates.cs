namespace PaDiM.Service.Background;

/// <summary>One at a time per key, and no key waits for another. Keys that are not in use take no memory. Thread-safe.</summary>
internal sealed class KeyedGates
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, Gate> _gates = new(StringComparer.Ordinal);

    /// <summary>Enters; the result is disposed to leave.</summary>
    public async Task<IDisposable> EnterAsync(string key, CancellationToken cancellationToken)
    {
        Gate gate;
        lock (_lock)
        {
            if (!_gates.TryGetValue(key, out gate!))
                _gates[key] = gate = new Gate(this, key);
            gate.Users++;
        }
        try
        {
            await gate.Turn.WaitAsync(cancellationToken);
            return gate;
        }
        catch
        {
            Leave(gate);
            throw;
        }
    }

    private void Leave(Gate gate)
    {
        lock (_lock)
            if (--gate.Users == 0)
                _gates.Remove(gate.Key);
    }

    private sealed class Gate(KeyedGates owner, string key) : IDisposable
    {
        public string Key => key;

        public SemaphoreSlim Turn { get; } = new(1, 1);

        public int Users { get; set; }

        public void Dispose()
        {
            Turn.Release();
            owner.Leave(this);
        }
    }
}
