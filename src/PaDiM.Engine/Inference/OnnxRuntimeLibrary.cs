using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime;

namespace PaDiM.Engine.Inference;

/// <summary>
/// The only place that opens ONNX Runtime, because it sends telemetry unless it is told not to: since 1.29 its builds
/// for Linux write an identifier of the machine into the home directory, and send the names and hashes of graphs to
/// their vendor.
/// </summary>
public static partial class OnnxRuntimeLibrary
{
    private const string TelemetrySwitch = "ORT_DISABLE_TELEMETRY";

    private static readonly Lazy<OrtEnv> Opened = new(Open);

    /// <summary>Gets the version of the native library.</summary>
    public static string Version => Opened.Value.GetVersionString();

    /// <summary>Gets the execution providers that this build contains, by ONNX Runtime's names.</summary>
    public static IReadOnlyCollection<string> Providers => Opened.Value.GetAvailableProviders();

    /// <summary>Creates session options with only errors in ONNX Runtime's own log.</summary>
    public static SessionOptions CreateOptions()
    {
        _ = Opened.Value;
        return new SessionOptions { LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR };
    }

    /// <summary>Opens a graph.</summary>
    /// <param name="onnx">The graph as an ONNX file.</param>
    /// <param name="options">From <see cref="CreateOptions"/>.</param>
    /// <exception cref="OnnxRuntimeException">The graph cannot be opened.</exception>
    public static InferenceSession OpenSession(byte[] onnx, SessionOptions options) => new(onnx, options);

    /// <summary>
    /// Switches telemetry off. The library reads the process's environment, and on Unix .NET keeps its own copy of
    /// that: <see cref="Environment.SetEnvironmentVariable(string, string)"/> alone has no effect on native code.
    /// </summary>
    [ModuleInitializer]
    [SuppressMessage(
        "Usage",
        "CA2255",
        Justification = "It must run before any code that can call ONNX Runtime; all of that is in this assembly."
    )]
    internal static void SwitchTelemetryOff()
    {
        Environment.SetEnvironmentVariable(TelemetrySwitch, "1");
        if (!OperatingSystem.IsWindows() && SetVariable(TelemetrySwitch, "1", overwrite: 1) != 0)
            throw new InvalidOperationException($"{TelemetrySwitch} could not be set in the environment.");
    }

    /// <summary>On Windows, events go to the operating system unless this call stops them.</summary>
    private static OrtEnv Open()
    {
        var library = OrtEnv.Instance();
        library.DisableTelemetryEvents();
        return library;
    }

    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetVariable(string name, string value, int overwrite);
}
