using System.Diagnostics;
using System.IO.MemoryMappedFiles;
using PaDiM.Service.TestSupport;
using PaDiM.TestSupport;

namespace PaDiM.Trials.Faults;

/// <summary>A service whose n-th write, fsync, rename or change of length below its data directory fails.</summary>
internal sealed class IoFaults : IAsyncDisposable
{
    private readonly TempDirectory _folder;
    private readonly MemoryMappedFile _file;
    private readonly MemoryMappedViewAccessor _control;

    private IoFaults(TempDirectory folder, MemoryMappedFile file, ServiceProcess service)
    {
        _folder = folder;
        _file = file;
        Service = service;
        _control = file.CreateViewAccessor();
    }

    public ServiceProcess Service { get; }

    public string Data => _folder.Combine("data");

    /// <summary>Whether a call has failed since it was armed.</summary>
    public bool HasFailed => _control.ReadInt64(24) != 0;

    /// <summary>
    /// Builds the library with the machine's C compiler and starts a service with it. Without a compiler, or on another
    /// system than Linux, the test is skipped.
    /// </summary>
    public static async Task<IoFaults> StartAsync(params (string Option, object Value)[] options)
    {
        Assert.SkipUnless(
            OperatingSystem.IsLinux(),
            "Faults of input and output are injected by LD_PRELOAD, which only Linux has."
        );
        var folder = new TempDirectory();
        var library = folder.Combine("iofault.so");
        var controlPath = folder.Combine("control");
        try
        {
            using var compiler = Process.Start(
                "cc",
                [
                    "-shared",
                    "-fPIC",
                    "-O1",
                    "-o",
                    library,
                    Path.Combine(AppContext.BaseDirectory, "Faults", "iofault.c"),
                    "-ldl",
                ]
            );
            await compiler.WaitForExitAsync();
            Assert.Equal(0, compiler.ExitCode);
        }
        catch (System.ComponentModel.Win32Exception)
        {
            folder.Dispose();
            Assert.Skip("There is no C compiler (cc) on this machine to build the library that injects faults.");
        }
        await File.WriteAllBytesAsync(controlPath, new byte[32]);
        var file = MemoryMappedFile.CreateFromFile(controlPath);
        var service = await ServiceProcess.StartInAsync(
            folder.Combine("data"),
            new Dictionary<string, string>
            {
                ["LD_PRELOAD"] = library,
                ["IOFAULT_CONTROL"] = controlPath,
                ["IOFAULT_ROOT"] = folder.Combine("data"),
            },
            options
        );
        return new IoFaults(folder, file, service);
    }

    /// <summary>Lets the n-th call from now on fail; 0 for none.</summary>
    public void Arm(long n, int error = 0)
    {
        _control.Write(0, 0L);
        _control.Write(8, (long)error);
        _control.Write(16, 0L);
        _control.Write(24, 0L);
        _control.Write(0, n);
    }

    public async ValueTask DisposeAsync()
    {
        await Service.DisposeAsync();
        _control.Dispose();
        _file.Dispose();
        _folder.Dispose();
    }
}
