namespace PaDiM.Engine.Machine;

/// <summary>
/// Tells machines apart, by their kernels: containers of one machine share its kernel, and so the locks of its files.
/// </summary>
/// <param name="Id">Another one on every machine, and after every restart of it.</param>
/// <param name="Name">What people call it.</param>
public sealed record MachineIdentity(string Id, string Name)
{
    private const string BootId = "/proc/sys/kernel/random/boot_id";

    /// <summary>Gets the identity of this machine.</summary>
    public static MachineIdentity Current { get; } =
        new(File.Exists(BootId) ? File.ReadAllText(BootId).Trim() : Environment.MachineName, Environment.MachineName);
}
