const slow = 1;

export default function (event) {
  if (event.get('[http][seconds]') > slow) event.addMark('slow');
}
