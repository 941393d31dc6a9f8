using Microsoft.Extensions.Time.Testing;
using PaDiM.Service.Diagnostics;

namespace PaDiM.Service.Tests;

public sealed class ReminderTests
{
    [Fact]
    public void A_fault_is_said_at_once_and_then_once_a_minute()
    {
        var time = new FakeTimeProvider();
        var reminder = new Reminder(time);
        Assert.True(reminder.IsDue());
        Assert.False(reminder.IsDue());
        time.Advance(TimeSpan.FromSeconds(59));
        Assert.False(reminder.IsDue());
        time.Advance(TimeSpan.FromSeconds(1));
        Assert.True(reminder.IsDue());
        Assert.False(reminder.IsDue());
    }
}
