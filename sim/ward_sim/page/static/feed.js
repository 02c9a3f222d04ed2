// The connection to the simulator: joins the changes into one snapshot, notices silence, comes back by itself.

const SILENCE_MS = 5000; // the server speaks at least once a second
const FIRST_WAIT_MS = 300;
const LONGEST_WAIT_MS = 3000;

export class Feed {
  /**
   * @param {(snapshot: object) => void} onSnapshot  the whole picture, after each message
   * @param {(state: "connecting" | "live" | "lost", attempt: number) => void} onState
   */
  constructor(onSnapshot, onState) {
    this.onSnapshot = onSnapshot;
    this.onState = onState;
    this.attempt = 0;
    this.watchdog = null;
    onState("connecting", 0);
    this.connect();
  }

  connect() {
    const socket = new WebSocket(`${location.origin.replace(/^http/, "ws")}/ws`);
    let snapshot = null; // a new connection begins with everything
    this.listen(socket);
    socket.onmessage = (message) => {
      this.listen(socket);
      snapshot = { ...snapshot, ...JSON.parse(message.data) };
      if (this.attempt > 0 || document.body.dataset.feed !== "live") this.onState("live", this.attempt);
      this.attempt = 0;
      this.onSnapshot(snapshot);
    };
    socket.onclose = () => this.lose(socket);
  }

  // Start waiting again: a server that was suspended keeps its socket open and says nothing.
  listen(socket) {
    clearTimeout(this.watchdog);
    this.watchdog = setTimeout(() => {
      socket.close();
      this.lose(socket);
    }, SILENCE_MS);
  }

  lose(socket) {
    clearTimeout(this.watchdog);
    socket.onclose = null;
    socket.onmessage = null;
    this.attempt += 1;
    this.onState("lost", this.attempt);
    const wait = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(this.attempt - 1, 5));
    setTimeout(() => this.connect(), wait);
  }
}
