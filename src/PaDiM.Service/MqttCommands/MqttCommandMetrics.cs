using System.Diagnostics.Metrics;
using PaDiM.Service.Diagnostics;

namespace PaDiM.Service.MqttCommands;

/// <summary>Instruments of MQTT commands.</summary>
internal sealed class MqttCommandMetrics
{
    private readonly Counter<long> _commands;
    private int _running;
    private volatile bool _isConnected;

    public MqttCommandMetrics(IMeterFactory meters)
    {
        var meter = meters.Create(Instruments.Name);
        _commands = meter.CreateCounter<long>(
            "padim.mqtt.commands",
            null,
            "Commands over MQTT, by outcome: scored, the code of a problem, or unanswered."
        );
        meter.CreateObservableGauge(
            "padim.mqtt.commands.running",
            () => Volatile.Read(ref _running),
            null,
            "Commands over MQTT in progress."
        );
        meter.CreateObservableGauge(
            "padim.mqtt.connected",
            () => _isConnected ? 1 : 0,
            null,
            "1 while commands can arrive from the broker."
        );
    }

    public void SetConnected(bool isConnected) => _isConnected = isConnected;

    public void Start() => Interlocked.Increment(ref _running);

    public void End(string outcome)
    {
        Interlocked.Decrement(ref _running);
        _commands.Add(1, Instruments.Tag("outcome", outcome));
    }
}
