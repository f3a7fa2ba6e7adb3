// Two short sounds made in the browser: good and bad. They can be switched off; words and colour say the same.
(() => {
  "use strict";

  const OFF = "mep-sounds-off";
  let context = null;

  const isOn = () => { try { return window.localStorage.getItem(OFF) === null; } catch { return true; } };
  const turn = (on) => {
    try {
      if (on) window.localStorage.removeItem(OFF);
      else window.localStorage.setItem(OFF, "1");
    } catch { /* nothing can be kept: it goes on as before */ }
  };

  const tone = (hertz, begin, seconds, shape) => {
    const oscillator = context.createOscillator();
    const volume = context.createGain();
    oscillator.type = shape;
    oscillator.frequency.value = hertz;
    volume.gain.setValueAtTime(0.2, begin);
    volume.gain.exponentialRampToValueAtTime(0.001, begin + seconds);
    oscillator.connect(volume).connect(context.destination);
    oscillator.start(begin);
    oscillator.stop(begin + seconds);
  };

  const play = (good) => {
    if (!isOn() || !window.AudioContext) return;
    context ||= new window.AudioContext();
    context.resume().catch(() => {});
    const now = context.currentTime;
    if (good) {
      tone(1320, now, 0.1, "sine");
    } else {
      tone(220, now, 0.25, "square");
      tone(220, now + 0.3, 0.25, "square");
    }
  };

  window.portal = { ...window.portal, sounds: { isOn, turn, play, possible: Boolean(window.AudioContext) } };
})();
