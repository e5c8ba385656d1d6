// Written the way shops on Node, Express and jQuery are: globals, $.ajax with plain objects (so: form bodies), the token
// in localStorage and in a header whether there is one or not, HTML made of strings.

$.ajaxSetup({
  headers: { Authorization: "Bearer " + localStorage.getItem("token") },
  error: function (xhr) {
    $("#message").text(xhr.responseJSON ? xhr.responseJSON.errorMessage : "?").attr("data-code", xhr.responseJSON.code);
  }
});

function sign_up() {
  $.ajax({
    type: "POST",
    url: "/api/users",
    data: {
      nickname: $("#inputNickname").val(),
      email: $("#inputEmail").val(),
      password: $("#inputPassword").val(),
      confirmPassword: $("#inputConfirmPassword").val()
    },
    success: function (response) {
      $("#message").text(response.message).attr("data-code", "registered");
    }
  });
}

function sign_in() {
  $.ajax({
    type: "POST",
    url: "/api/auth",
    data: { email: $("#loginEmail").val(), password: $("#loginPassword").val() },
    success: function (response) {
      localStorage.setItem("token", response.token);
      window.location.replace("/index.html");
    }
  });
}

function get_self(callback) {
  $.ajax({
    type: "GET",
    url: "/api/users/me",
    success: function (response) { callback(response.user); },
    error: function (xhr) {
      if (xhr.status === 401) { localStorage.clear(); $("#who").text("guest"); }
    }
  });
}

function get_goods(callback) {
  $.ajax({
    type: "GET",
    url: "/api/goods",
    data: { category: "" },
    success: function (response) {
      var goods = response["goods"];
      for (var i = 0; i < goods.length; i++) {
        $("#goods").append(
          '<li data-id="' + goods[i]["goodsId"] + '"><img src="' + goods[i]["thumbnailUrl"] + '" alt="">' +
          goods[i]["name"] + " $" + goods[i]["price"] +
          ' <button class="put" onclick="put_in_cart(' + goods[i]["goodsId"] + ', 2)">put</button>' +
          '<button class="add" onclick="add_to_cart(' + goods[i]["goodsId"] + ', 1)">add</button></li>'
        );
      }
      callback(goods);
    }
  });
}

function put_in_cart(goodsId, quantity) {
  $.ajax({
    type: "PUT",
    url: "/api/goods/" + goodsId + "/cart",
    data: { quantity: quantity },
    success: function () { $("#who").attr("data-put", goodsId); }
  });
}

function add_to_cart(goodsId, quantity) {
  $.ajax({
    type: "POST",
    url: "/api/goods/" + goodsId + "/cart",
    data: { quantity: quantity },
    success: function () { $("#who").attr("data-added", goodsId); },
    error: function (xhr) { $("#who").attr("data-error", xhr.responseJSON.code); }
  });
}

var cart = [];

function get_cart() {
  $.ajax({
    type: "GET",
    url: "/api/goods/cart",
    data: {},
    success: function (response) {
      cart = response["cart"];
      $("#cart").empty().attr("data-lines", cart.length);
      for (var i = 0; i < cart.length; i++) {
        $("#cart").append(
          "<li>" + cart[i].goods.name + " x " + cart[i].quantity +
          ' <button class="drop" onclick="drop(' + cart[i].goods.goodsId + ')">drop</button></li>'
        );
      }
    }
  });
}

function drop(goodsId) {
  $.ajax({ type: "DELETE", url: "/api/goods/" + goodsId + "/cart", success: get_cart });
}

function order_cart() {
  var items = [];
  for (var i = 0; i < cart.length; i++) {
    items.push({ goodsId: cart[i].goods.goodsId, quantity: cart[i].quantity });
  }
  $.ajax({
    type: "POST",
    url: "/api/orders",
    data: { items: items },
    success: function (response) {
      $("#message").text("order " + response.order.orderId + ": " + response.order.total).attr("data-code", "ordered");
    }
  });
}
